import type { INodeProperties } from 'n8n-workflow';
import { lazily, z } from '../lib/zod';
import type { ClientOptions } from '../transport/client';
import type { ParameterReader } from './parameters';

export const DEFAULT_CONCURRENCY = 50;
/** Each document takes up to 7 MB of memory on its way. */
export const DOCUMENT_CONCURRENCY = 5;
const MAX_CONCURRENCY = 1_000;
const DEFAULT_MAX_RETRIES = 3;
const MAX_RETRIES = 10;
const DEFAULT_TIMEOUT_S = 30;
const MAX_TIMEOUT_S = 600;
const MS_PER_SECOND = 1_000;

/**
 * People may answer before Diyalog has said that it took their message, and a trigger tries such an answer for a minute only while
 * the execution does not wait yet. So asking has to take less: of several people the last may still be asked when the first answer.
 */
const MAX_ASK_TIMEOUT_S = { one: 45, several: 20 };
const TO_SEVERAL = { maxRetries: 1, maxPauseMs: 10_000 };

const TIMEOUT_DESCRIPTION = "How long to wait for the Diyalog server's response to one message";

const CONCURRENCY_DESCRIPTION =
	'How many messages are on their way at the same time. With 1 the node sends one by one.';

/** How requests are sent; the same for every operation that sends. */
export const sendOptions: INodeProperties[] = [
	{
		displayName: 'Concurrency',
		name: 'concurrency',
		type: 'number',
		typeOptions: { minValue: 1, maxValue: MAX_CONCURRENCY },
		default: DEFAULT_CONCURRENCY,
		description: CONCURRENCY_DESCRIPTION,
	},
	{
		displayName: 'Maximum Retries',
		name: 'maxRetries',
		type: 'number',
		typeOptions: { minValue: 0, maxValue: MAX_RETRIES },
		default: DEFAULT_MAX_RETRIES,
		description:
			'How often the node repeats a send that certainly did not happen. That is: there was no connection, or the server asked to come back later. The node never repeats a message that may have arrived.',
	},
	{
		displayName: 'Timeout (Seconds)',
		name: 'timeout',
		type: 'number',
		typeOptions: { minValue: 1, maxValue: MAX_TIMEOUT_S },
		default: DEFAULT_TIMEOUT_S,
		description: TIMEOUT_DESCRIPTION,
	},
];

const sendOptionsWith = (name: string, changed: Partial<INodeProperties>): INodeProperties[] =>
	sendOptions.map((option) => (option.name === name ? { ...option, ...changed } : option));

/** The same, for an operation that sends documents. */
export const documentSendOptions = sendOptionsWith('concurrency', {
	default: DOCUMENT_CONCURRENCY,
});

/** The same, for an operation that may send documents as JSON. */
export const jsonSendOptions = sendOptionsWith('concurrency', {
	description: `${CONCURRENCY_DESCRIPTION} The default is ${DEFAULT_CONCURRENCY}, or ${DOCUMENT_CONCURRENCY} while one of them is a document as JSON.`,
});

/** Those that make sense for a question: it is one message, or all of its messages go out at once. */
export const askOptions = sendOptionsWith('timeout', {
	typeOptions: { minValue: 1, maxValue: MAX_ASK_TIMEOUT_S.one },
	description: `${TIMEOUT_DESCRIPTION}. For several people ${MAX_ASK_TIMEOUT_S.several} at most, whatever is entered.`,
}).filter(({ name }) => name !== 'concurrency');

/** Without the rules of a language, which take a millisecond to load: these are English words. */
const byDisplayName = (a: INodeProperties, b: INodeProperties): number =>
	a.displayName.toLowerCase() < b.displayName.toLowerCase() ? -1 : 1;

/** The options of an operation, in alphabetical order, as the editor lists them. */
export const optionsField = (options: readonly INodeProperties[]): INodeProperties => ({
	displayName: 'Options',
	name: 'options',
	type: 'collection',
	placeholder: 'Add Option',
	default: {},
	options: [...options].sort(byDisplayName),
});

/** What an expression gives for a number; a switch, a list or a date is none. */
const enteredNumber = lazily(() =>
	z.union([z.number(), z.string().trim().min(1)]).pipe(z.coerce.number()),
);

/** A number within bounds; what an expression gives beyond them is brought back to the nearest bound. */
const bounded = (min: number, max: number, fallback: number) =>
	enteredNumber()
		.catch(fallback)
		.transform((value) => Math.min(max, Math.max(min, value)));

const maxRetriesSchema = lazily(() =>
	bounded(0, MAX_RETRIES, DEFAULT_MAX_RETRIES).transform(Math.floor),
);
const timeoutSchema = lazily(() => bounded(1, MAX_TIMEOUT_S, DEFAULT_TIMEOUT_S));

const option = (name: string) => ({ name: `options.${name}`, default: null });

/** What an option says. Without it no schema is asked: an option that is left alone costs nothing then. */
const optionOr = (schema: z.ZodType<number>, usual: number, entered: unknown): number =>
	entered === null ? usual : schema.parse(entered);

/** Reads how the requests of an item are sent. Of the options only what says so is looked at. */
export function readSendOptions(read: ParameterReader, itemIndex: number): ClientOptions {
	const entered = (name: string) => read(option(name), itemIndex);
	const timeoutS = optionOr(timeoutSchema(), DEFAULT_TIMEOUT_S, entered('timeout'));
	return {
		maxRetries: optionOr(maxRetriesSchema(), DEFAULT_MAX_RETRIES, entered('maxRetries')),
		// A timer takes whole milliseconds, and throws at others.
		timeoutMs: Math.round(timeoutS * MS_PER_SECOND),
	};
}

/** Reads how a question is sent: within the time in which a trigger still tries the answers to it. */
export function readAskOptions(read: ParameterReader, isSeveral: boolean): ClientOptions {
	const { maxRetries, timeoutMs } = readSendOptions(read, 0);
	const within = (maxS: number) => Math.min(timeoutMs, maxS * MS_PER_SECOND);
	if (!isSeveral) return { maxRetries, timeoutMs: within(MAX_ASK_TIMEOUT_S.one) };
	return {
		...TO_SEVERAL,
		maxRetries: Math.min(maxRetries, TO_SEVERAL.maxRetries),
		timeoutMs: within(MAX_ASK_TIMEOUT_S.several),
	};
}

/**
 * Reads how many messages may be on their way at the same time. It holds for all items, so that of the first counts; what is
 * no such number must neither stop the others nor let more out than usual.
 *
 * @param usual unless the options say otherwise
 */
export function readConcurrency(
	read: ParameterReader,
	usual: () => number = () => DEFAULT_CONCURRENCY,
): () => number {
	const schema = enteredNumber().pipe(z.number().min(1));
	const entered = (): unknown => {
		try {
			return read(option('concurrency'), 0);
		} catch {
			return undefined;
		}
	};
	const { data: wanted } = schema.safeParse(entered());
	return wanted === undefined ? usual : () => Math.floor(Math.min(MAX_CONCURRENCY, wanted));
}
