import { runConcurrently } from '../../../nodes/Diyalog/actions/concurrency';
import { fromMessageId } from '../../../nodes/Diyalog/wait/resumeReference';
import type { StoredMessage } from '../../../sandbox/diyalog';
import type { Sandbox } from '../../../sandbox/server';
import { postJson } from '../../../tools/postJson';
import type { N8n } from '../../../tools/n8n/n8n';
import { sleepMs, waitFor } from '../../../tools/system';
import { endsWithin } from '../../support/endsWithin';
import { expectedOf, ROWS, RULES_OF_THREE } from '../../support/severalRules';
import type { Row, RuleOfThree } from '../../support/severalRules';
import { endOf } from './waiting';
import { ask, webhook, workflow } from './workflows';
import type { Fields } from './workflows';

/* Every rule with every order of answers of three people, in whichever n8n. */

export const THREE = ['E100', 'E101', 'E102'];

const WITHIN_MS = 300_000;
const CALLS_AT_ONCE = 10;
const LONG = endsWithin(1, 'hours');

/** The parameters of a question to three employees. */
export const toThree = (more: Fields): Fields => ({
	resource: 'message',
	ask: 'several',
	specifyPeople: 'json',
	peopleJson: THREE.map((employeeNo) => ({ employeeNo })),
	...more,
});

interface Place {
	n8n: N8n;
	sandbox: Sandbox;
	credentialId: string;
	appSecret: string;
	/** where calls of webhooks are taken */
	webhookUrl?: string;
}

/** What came out of one row of the table. */
export interface Played {
	row: Row;
	found: unknown;
	expected: { decision: string; after: number };
}

const prefixOf = (row: Row): string => `r${ROWS.indexOf(row)}`;

/**
 * Asks a question for each row, has the three answer one after the other, and reads how each ended.
 *
 * @param between is done after the answers of the first
 */
export async function playTable(
	{ n8n, sandbox, credentialId, appSecret, webhookUrl }: Place,
	between: () => Promise<void> = async () => undefined,
): Promise<Played[]> {
	const urls = new Map<RuleOfThree, { id: string; url: string }>();
	for (const [name, rule] of Object.entries(RULES_OF_THREE) as Array<[RuleOfThree, Fields]>) {
		const options = { ...LONG, messageIdPrefix: '={{ $json.body.prefix }}' };
		const asking = ask(credentialId, toThree({ ...rule, options }));
		const path = `several-${name}-${Date.now()}`;
		const id = await n8n.createWorkflow(workflow(name, [[webhook(path), asking]]));
		urls.set(name, { id, url: await n8n.webhookUrl(path, webhookUrl) });
	}
	const countOf = async (...statuses: string[]) => {
		const counts = [...urls.values()].map(
			async ({ id }) => await n8n.executionCount(id, ...statuses),
		);
		return (await Promise.all(counts)).reduce((sum, each) => sum + each, 0);
	};
	const before = sandbox.messages().length;
	await runConcurrently(
		ROWS.length,
		CALLS_AT_ONCE,
		async (index) => {
			const row = ROWS[index];
			if (row) await postJson(urls.get(row.rule)?.url ?? '', { prefix: prefixOf(row) });
		},
		() => true,
	);
	await waitFor('the waiting executions', WITHIN_MS, async () => {
		await sleepMs(500);
		return (await countOf('waiting')) === ROWS.length || undefined;
	});
	const messages = new Map<string, StoredMessage>();
	const executions = new Map<string, string>();
	for (const message of sandbox.messages().slice(before)) {
		const reference = fromMessageId(message.messageId, [appSecret]);
		const prefix = message.messageId.split('.')[0] ?? '';
		if (!reference) throw new Error('The messageId is no reference');
		messages.set(`${prefix}/${reference.number}`, message);
		executions.set(prefix, reference.executionId);
	}
	for (const turn of [0, 1, 2]) {
		for (const row of ROWS) {
			const message = messages.get(`${prefixOf(row)}/${row.order[turn]}`);
			if (!message) throw new Error('Somebody was not asked');
			const button = row.said[turn] === 'approve' ? 'Approve' : 'Decline';
			sandbox.pressButton({ messageId: message.messageId, id: message.id, button });
		}
		await sandbox.flush();
		const due = ROWS.filter((row) => expectedOf(row).after <= turn + 1).length;
		await waitFor(`the end of ${due} executions`, WITHIN_MS, async () => {
			await sleepMs(500);
			const ended = await countOf('success', 'error', 'crashed');
			return (ended >= due && (await countOf('running', 'new')) === 0) || undefined;
		});
		if (turn === 0) await between();
	}
	const played: Played[] = [];
	for (const row of ROWS) {
		const found = endOf(await n8n.executionData(executions.get(prefixOf(row)) ?? ''));
		played.push({ row, found, expected: expectedOf(row) });
	}
	return played;
}

/** How an item says what was expected. */
export const itemOf = ({ row, expected }: Played): object => ({
	decision: expected.decision,
	approved: expected.decision === 'approved',
	answers: row.order.slice(0, expected.after).map((person, index) =>
		expect.objectContaining({
			recipient: THREE[person],
			value: row.said[index],
		}),
	),
	unreached: [],
});
