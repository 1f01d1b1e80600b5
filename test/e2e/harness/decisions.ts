import type { StoredMessage } from '../../../sandbox/diyalog';
import { waitFor } from '../../../tools/system';
import type { Stage } from './waiting';
import type { Fields } from './workflows';
import { endsWithin } from '../../support/endsWithin';

/* What customers are asked and do, and the one output through which the decision has to leave. */

const WAITS_WITHIN_MS = 30_000;
/** n8n looks for waits that are over once a minute. */
const ENDS_WITHIN_MS = 120_000;
const ENDED = ['success', 'error', 'crashed', 'canceled'];

/** Waits until the newest execution of a workflow is in one of these states; gives its id. */
const newest = async (
	{ n8n }: Stage,
	workflowId: string,
	withinMs: number,
	...status: string[]
): Promise<string> =>
	await waitFor(`${status.join(' or ')} of ${workflowId}`, withinMs, async () => {
		const [found] = await n8n.executions(workflowId);
		return found && status.includes(found.status) ? found.id : undefined;
	});

/** Waits until the newest execution of a workflow waits; gives its id. */
export const waits = async (stage: Stage, workflowId: string): Promise<string> =>
	await newest(stage, workflowId, WAITS_WITHIN_MS, 'waiting');

/** Waits until the newest execution of a workflow has failed; gives its id. */
export const failed = async (stage: Stage, workflowId: string): Promise<string> =>
	await newest(stage, workflowId, WAITS_WITHIN_MS, 'error');

/** Waits until the newest execution of a workflow has ended; gives its data. */
export const ended = async (stage: Stage, workflowId: string): Promise<string> =>
	await stage.n8n.executionData(await newest(stage, workflowId, ENDS_WITHIN_MS, ...ENDED));

export const messagesTo = ({ sandbox }: Stage, customerNo: string): StoredMessage[] =>
	sandbox.messages().filter((message) => message.customerNo === customerNo);

/** Waits for one of the messages to a customer, counted from 1. */
export const hasGot = async (
	stage: Stage,
	customerNo: string,
	count: number,
): Promise<StoredMessage> =>
	await waitFor(`message ${count} to ${customerNo}`, ENDS_WITHIN_MS, () =>
		messagesTo(stage, customerNo).at(count - 1),
	);

/** So many customers whom Diyalog knows. */
export const customersOf = (count: number) =>
	Array.from({ length: count }, (_, index) => ({
		customerNo: String(70_000 + index),
		userId: String(2_074_022_437 + index),
	}));

/** What a customer does who was asked by an execution of a workflow. */
export type Answering = (stage: Stage, customerNo: string, workflowId: string) => Promise<void>;

export const pressing =
	(button: string): Answering =>
	async (stage, customerNo) =>
		await stage.press(await hasGot(stage, customerNo, 1), button);

/** Types one text after the other, each when the execution waits for it. */
export const typing =
	(...texts: string[]): Answering =>
	async (stage, customerNo, workflowId) => {
		for (const [index, text] of texts.entries()) {
			await hasGot(stage, customerNo, index + 1);
			await waits(stage, workflowId);
			await stage.type(text, customerNo);
		}
	};

/** Opens the page behind a link and confirms there. */
export const confirming =
	(title: string): Answering =>
	async (stage, customerNo) => {
		const { buttonsV2 = [] } = await hasGot(stage, customerNo, 1);
		const url = buttonsV2.find((button) => button.title === title)?.payload ?? '';
		const { status } = await fetch(url, { method: 'POST' });
		if (status !== 200) throw new Error(`The page behind the link answered ${status}`);
	};

export const nothing: Answering = async () => undefined;

const CODE = '4071';

/** The time is up after three seconds; n8n looks once a minute. */
export const SHORT = {
	options: {
		...endsWithin(0.05, 'minutes'),
	},
};
export const BY_CODE = { responseType: 'code', expectedCode: CODE };
export const CHOICE = {
	responseType: 'choice',
	choices: {
		choice: [
			{ title: 'Blue', value: 'blue' },
			{ title: 'Red', value: 'red' },
		],
	},
};
const OFFER_REPORT = { approvalOptions: { values: { offerReport: true } } };
const APPROVE_ONLY = { approvalOptions: { values: { approvalType: 'single' } } };
const BY_LINK = { options: { answerBy: 'link' } };
const FREE_TEXT = { responseType: 'freeText' };

export type Decision = readonly [
	what: string,
	parameters: Fields,
	answer: Answering,
	decision: string,
	/** the output through which it leaves */
	way: number,
];

export const THREE_WRONG = typing('57', '58', '59');

export const ANSWERED: readonly Decision[] = [
	['approve', {}, pressing('Approve'), 'approved', 0],
	['decline', {}, pressing('Decline'), 'declined', 2],
	['approve, Approve Only', APPROVE_ONLY, pressing('Approve'), 'approved', 0],
	['approve by a link', BY_LINK, confirming('Approve'), 'approved', 0],
	['decline by a link', BY_LINK, confirming('Decline'), 'declined', 2],
	["it wasn't me", OFFER_REPORT, pressing("It Wasn't Me"), 'reported', 2],
	[
		"it wasn't me by a link",
		{ ...OFFER_REPORT, ...BY_LINK },
		confirming("It Wasn't Me"),
		'reported',
		2,
	],
	['right code', BY_CODE, typing(CODE), 'codeMatched', 0],
	['right code after a wrong one', BY_CODE, typing('57', CODE), 'codeMatched', 0],
	['three wrong codes', BY_CODE, THREE_WRONG, 'tooManyAttempts', 2],
	['choice', CHOICE, pressing('Red'), 'chosen', 0],
	['free text', FREE_TEXT, typing('Call me'), 'answered', 0],
];

export const UNANSWERED: readonly Decision[] = [
	['no answer to an approval', SHORT, nothing, 'expired', 1],
	['no answer, Approve Only', { ...APPROVE_ONLY, ...SHORT }, nothing, 'expired', 1],
	[
		'no answer by a link',
		{ options: { ...BY_LINK.options, ...SHORT.options } },
		nothing,
		'expired',
		1,
	],
	['no code', { ...BY_CODE, ...SHORT }, nothing, 'expired', 1],
	['no choice', { ...CHOICE, ...SHORT }, nothing, 'expired', 1],
	['no text', { ...FREE_TEXT, ...SHORT }, nothing, 'expired', 1],
];
