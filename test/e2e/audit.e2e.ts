import { endsWithin } from '../support/endsWithin';
import { z } from 'zod';
import { firstItemOf } from '../../tools/n8n/executions';
import { fs, path, temporaryFolder, waitFor } from '../../tools/system';
import { Stage } from './harness/waiting';
import { verify } from './harness/workflows';

/* Audit records in the log of a real n8n, in both formats that docs/audit.md describes. */

const PREFIX = 'Diyalog audit: ';
const BOTH = { auditRecord: 'both' };
const CODE = '481516';

let stage: Stage;
let jsonLog: string;

beforeAll(async () => {
	jsonLog = path.join(await temporaryFolder('log'), 'n8n.log');
	stage = await Stage.set({
		settings: { N8N_LOG_OUTPUT: 'console,file', N8N_LOG_FILE_LOCATION: jsonLog },
	});
}, 900_000);

afterAll(async () => {
	await stage.clear();
}, 60_000);

const recordSchema = z.object({ event: z.string(), outcome: z.string() }).passthrough();
type LoggedRecord = z.output<typeof recordSchema>;

const recordIn = (message: string): LoggedRecord[] =>
	message.startsWith(PREFIX) ? [recordSchema.parse(JSON.parse(message.slice(PREFIX.length)))] : [];

const linesOf = async (file: string): Promise<string[]> =>
	(await fs.readFile(file, 'utf8')).split('\n').filter((line) => line !== '');

/** The records of an execution, which are the same in both formats. */
async function recordsOf(executionId: unknown, count: number): Promise<LoggedRecord[]> {
	return await waitFor(`${count} records`, 20_000, async () => {
		const ofIt = (records: LoggedRecord[]) =>
			records.filter((record) => record.executionId === executionId);
		const asText = ofIt((await linesOf(stage.n8n.logFile)).flatMap(recordIn));
		const messageSchema = z.object({ message: z.string() });
		const asJson = ofIt(
			(await linesOf(jsonLog)).flatMap((line) =>
				recordIn(messageSchema.parse(JSON.parse(line)).message),
			),
		);
		if (asText.length < count || asJson.length < count) return undefined;
		expect(asJson).toEqual(asText);
		return asText;
	});
}

const auditedSchema = z.object({ audit: recordSchema });
const auditOf = (item: unknown): LoggedRecord => auditedSchema.parse(item).audit;

it('a code that is sent and verified', async () => {
	const sending = stage.send({
		otpMode: 'given',
		otpValue: CODE,
		customerNo: '70021',
		message: 'Your code is {code}.',
		options: BOTH,
	});
	const verifying = verify(stage.credentialId, {
		challenge: '={{ $json.challenge }}',
		code: CODE,
		customerNo: '70021',
		options: BOTH,
	});
	const data = await (await stage.createCalled([[sending, verifying]])).run();
	const inItems = ['Send', 'Verify'].map((name) => auditOf(firstItemOf(data, name)));
	expect(inItems).toMatchObject([
		{ event: 'codeSent', outcome: 'sent' },
		{ event: 'codeVerified', outcome: 'ok' },
	]);
	const records = await recordsOf(inItems[0]?.executionId, 2);
	expect(records).toEqual(inItems);
	expect(JSON.stringify(records)).not.toContain(CODE);
	expect(JSON.stringify(records)).not.toContain('"70021"');
});

it('a question: a text is refused, then the person approves', async () => {
	const asked = await (await stage.createAsking({ options: BOTH })).start();
	const { messageId, id } = asked.message;
	await stage.type('Yes, of course');
	await recordsOf(asked.executionId, 2);
	stage.sandbox.pressButton({ messageId, id, button: 'Approve' });
	await stage.sandbox.flush();
	const outcome = await asked.outcome();
	expect(outcome).toMatchObject({ approved: true });
	const records = await recordsOf(asked.executionId, 3);
	expect(records).toMatchObject([
		{ event: 'asked', outcome: 'sent' },
		{ event: 'answered', outcome: 'refused', reason: 'otherKind' },
		{ event: 'ended', outcome: 'approved', checks: { person: 'held', payload: 'held' } },
	]);
	expect(records[2]).toEqual(auditOf(outcome));
	expect(JSON.stringify(records)).not.toContain('of course');
});

it('nobody answers for more than a minute: a record in the item and one in the log', async () => {
	const options = { ...BOTH, ...endsWithin(70, 'seconds') };
	const asked = await (await stage.createAsking({ options })).start();
	const outcome = await asked.outcome(240_000);
	expect(outcome).toMatchObject({ decision: 'expired', approved: false });
	const audit = auditOf(outcome);
	expect(audit).toMatchObject({ event: 'ended', outcome: 'expired', at: audit.deadline });
	const records = await recordsOf(asked.executionId, 2);
	expect(records).toMatchObject([{ event: 'asked', deadline: audit.deadline }, audit]);
}, 300_000);
