import { z } from 'zod';
import { requireCommonJs } from '../system';

/** flatted declares only its ES module, which jest cannot load; it brings a CommonJS one as well. */
export const { parse } = z
	.object({ parse: z.function().args(z.string()).returns(z.unknown()) })
	.parse(requireCommonJs('flatted'));

const recordSchema = z.object({
	resultData: z.object({
		error: z.unknown(),
		runData: z.record(
			z.array(
				z.object({
					error: z.unknown(),
					data: z.record(z.array(z.array(z.object({ json: z.unknown() })).nullable())).optional(),
				}),
			),
		),
	}),
});

/**
 * The JSON of every item that a node put out in an execution, over all its runs and outputs.
 *
 * @param data the execution's data as n8n stores it
 * @param connection the kind of output, e.g. `ai_tool` for what an agent's tool said
 */
export function itemsOf(data: string, nodeName: string, connection = 'main'): unknown[] {
	const { runData } = recordSchema.parse(parse(data)).resultData;
	return (runData[nodeName] ?? []).flatMap((run) =>
		(run.data?.[connection] ?? []).flatMap((items) => (items ?? []).map(({ json }) => json)),
	);
}

/** The JSON of every item that left a node through its first output in an execution, over all its runs. */
export function firstOutputOf(data: string, nodeName: string): unknown[] {
	const { runData } = recordSchema.parse(parse(data)).resultData;
	return (runData[nodeName] ?? []).flatMap((run) =>
		(run.data?.main?.[0] ?? []).map(({ json }) => json),
	);
}

/** The JSON of the first item that a node put out in an execution; undefined when the node did not run. */
export const firstItemOf = (data: string, nodeName: string): unknown => itemsOf(data, nodeName)[0];

/** The names of the nodes that ran in an execution. */
export const nodesRun = (data: string): string[] =>
	Object.keys(recordSchema.parse(parse(data)).resultData.runData);

/** The outputs through which something left a node in its last run, counted from 0. */
export function outputsLeft(data: string, nodeName: string, connection = 'main'): number[] {
	const { runData } = recordSchema.parse(parse(data)).resultData;
	const outputs = runData[nodeName]?.at(-1)?.data?.[connection] ?? [];
	return outputs.flatMap((items, index) => (items && items.length > 0 ? [index] : []));
}

/** The errors with which a node's runs ended, also those after which n8n went on. */
export function errorsOf(data: string, nodeName: string): unknown[] {
	const { runData } = recordSchema.parse(parse(data)).resultData;
	return (runData[nodeName] ?? []).flatMap(({ error }) => (error === undefined ? [] : [error]));
}

/** The error that ended an execution, as n8n stores it; undefined when there was none. */
export const errorOf = (data: string): unknown => recordSchema.parse(parse(data)).resultData.error;
