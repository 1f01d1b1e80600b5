import type { IExecuteFunctions, INodeProperties } from 'n8n-workflow';
import { z } from 'zod/v4';

const DEFAULT_CONCURRENCY = 50;
const MAX_CONCURRENCY = 1_000;
const DEFAULT_MAX_RETRIES = 3;
const MAX_RETRIES = 10;
const DEFAULT_TIMEOUT_S = 30;
const MAX_TIMEOUT_S = 600;
const MS_PER_SECOND = 1_000;

/** How requests are sent; the same for every operation that sends. */
export const sendOptions: INodeProperties[] = [
	{
		displayName: 'Concurrency',
		name: 'concurrency',
		type: 'number',
		typeOptions: { minValue: 1, maxValue: MAX_CONCURRENCY },
		default: DEFAULT_CONCURRENCY,
		description: 'How many messages are on their way at the same time. 1 sends one by one.',
	},
	{
		displayName: 'Maximum Retries',
		name: 'maxRetries',
		type: 'number',
		typeOptions: { minValue: 0, maxValue: MAX_RETRIES },
		default: DEFAULT_MAX_RETRIES,
		description:
			'How often a send is repeated that certainly did not happen: no connection, or a server that asks to come back later. A message that may have arrived is never sent again.',
	},
	{
		displayName: 'Timeout (Seconds)',
		name: 'timeout',
		type: 'number',
		typeOptions: { minValue: 1, maxValue: MAX_TIMEOUT_S },
		default: DEFAULT_TIMEOUT_S,
		description: 'How long to wait for the answer to one message',
	},
];

const byDisplayName = (a: INodeProperties, b: INodeProperties): number =>
	a.displayName.localeCompare(b.displayName);

/** The options of an operation, in alphabetical order, as the editor lists them. */
export const optionsField = (options: readonly INodeProperties[]): INodeProperties => ({
	displayName: 'Options',
	name: 'options',
	type: 'collection',
	placeholder: 'Add Option',
	default: {},
	options: [...options].sort(byDisplayName),
});

/** A number within bounds; what an expression gives beyond them is brought back to the nearest bound. */
const bounded = (min: number, max: number, fallback: number) =>
	z.coerce
		.number()
		.catch(fallback)
		.transform((value) => Math.min(max, Math.max(min, value)));

const optionsSchema = z
	.object({
		concurrency: bounded(1, MAX_CONCURRENCY, DEFAULT_CONCURRENCY)
			.transform(Math.floor)
			.default(DEFAULT_CONCURRENCY),
		maxRetries: bounded(0, MAX_RETRIES, DEFAULT_MAX_RETRIES)
			.transform(Math.floor)
			.default(DEFAULT_MAX_RETRIES),
		timeout: bounded(1, MAX_TIMEOUT_S, DEFAULT_TIMEOUT_S).default(DEFAULT_TIMEOUT_S),
	})
	.transform(({ timeout, ...rest }) => ({ ...rest, timeoutMs: timeout * MS_PER_SECOND }));

/** How requests are sent, checked. */
export type SendOptions = z.output<typeof optionsSchema>;

const readOptions = (context: IExecuteFunctions): object => {
	const options = context.getNodeParameter('options', 0, {});
	return typeof options === 'object' && options !== null ? options : {};
};

/**
 * Reads the options, which hold for all items of a run: those of the first item count.
 *
 * @param concurrency unless they say otherwise
 */
export const readSendOptions = (
	context: IExecuteFunctions,
	concurrency = DEFAULT_CONCURRENCY,
): SendOptions => optionsSchema.parse({ concurrency, ...readOptions(context) });
