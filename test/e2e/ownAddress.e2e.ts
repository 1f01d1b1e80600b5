import { FaultyServer } from '../support/faultyServer';
import { freePort, fs } from '../support/system';
import { Stage } from './harness/waiting';

/* An n8n that does not reach itself at its public address: behind NAT without hairpinning, or forbidden to call it. */

interface Case {
	what: string;
	reason: string;
	log: string;
	/** what listens at the public address */
	listens: boolean;
}

const CASES: Case[] = [
	{
		what: 'nobody listens there',
		reason: 'unreachable',
		log: 'n8n could not reach itself. Set N8n Address',
		listens: false,
	},
	{
		what: 'something accepts the connection and never answers',
		reason: 'noAnswerInTime',
		log: 'n8n did not answer itself in time.',
		listens: true,
	},
];

/** Diyalog waits this long for its answer. */
const DIYALOG_WAITS_MS = 5_000;

it.each(CASES)(
	'$what: the press is kept, Diyalog has its answer in time, and with N8n Address it works',
	async ({ reason, log, listens }) => {
		const silent = await FaultyServer.start(() => ({ kind: 'silence' }));
		const publicUrl = listens ? silent.url : `http://127.0.0.1:${await freePort()}`;
		const port = await freePort();
		const stage = await Stage.set({ port, settings: { WEBHOOK_URL: `${publicUrl}/` } });
		const workflow = await stage.createAsking({});
		const asked = await workflow.start();
		const beginMs = Date.now();
		await stage.press(asked.message, 'Approve');
		expect(Date.now() - beginMs).toBeLessThan(DIYALOG_WAITS_MS);
		expect(stage.sandbox.webhookLog().at(-1)).toMatchObject({ status: 200 });
		expect(await asked.status()).toBe('waiting');
		expect(await stage.triggeredFor(asked.message.messageId)).toEqual([
			expect.objectContaining({ payload: 'approve', resumed: false, notResumedReason: reason }),
		]);
		expect(await fs.readFile(stage.n8n.logFile, 'utf8')).toContain(log);

		await stage.addTrigger({ options: { n8nAddress: `http://127.0.0.1:${port}` } });
		await stage.press(asked.message, 'Approve');
		expect(await asked.outcome()).toMatchObject({ decision: 'approved' });
		await stage.clear();
		await silent.close();
	},
	180_000,
);
