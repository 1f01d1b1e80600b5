import { NodeConnectionTypes } from 'n8n-workflow';
import type { INode, INodeExecutionData, INodeTypeDescription } from 'n8n-workflow';
import { DEFAULT_RESPONSE_TYPE, RESPONSE_TYPES } from '../wait/waitInput';
import type { Operation, Resource } from './operation';
import { isTool } from './agentCall';

/*
 * Outputs as branches. The first is for what was hoped for and for nothing else; their order never depends on a setting.
 */

/** What an operation cannot bring to an end leaves here: no decision, and never the first branch. */
export const FAILED_OUTPUT = 1;

/**
 * Items for n8n, one of them at an output. The tool of an agent, plain or for human review, has one output: n8n reads what it
 * says, not where it left.
 */
export const itemAt = (
	node: INode,
	output: number,
	item: INodeExecutionData,
): INodeExecutionData[][] =>
	isTool(node) ? [[item]] : [...Array.from({ length: output }, () => []), [item]];

const TOOLTIPS = Object.fromEntries(
	Object.entries(RESPONSE_TYPES).map(([type, { waitsFor, outputs }]) => [
		type,
		`Waits for ${waitsFor}. When the time is up, the workflow goes on through ${outputs[FAILED_OUTPUT]}.`,
	]),
);

/** What the editor shows while the node waits. */
export const WAITING_TOOLTIP = `={{ ${JSON.stringify(TOOLTIPS)}[$parameter.responseType ?? '${DEFAULT_RESPONSE_TYPE}'] }}`;

/** The names of the outputs of an operation, by what stands in its fields. */
function namesOf(
	resource: string,
	{ value, branches }: Operation,
): Array<[string, readonly string[]]> {
	const chosen = `${resource}/${value}`;
	if (branches !== 'question') return branches ? [[chosen, branches]] : [];
	return Object.entries(RESPONSE_TYPES).map(([type, { outputs }]) => [
		`${chosen}/${type}`,
		outputs,
	]);
}

/**
 * The outputs as the editor and n8n read them: an expression, since they depend on operation and response type. Two braces
 * in a row would end it.
 *
 * @param resources everything the node can do
 */
export function outputsOf(resources: readonly Resource[]): INodeTypeDescription['outputs'] {
	const names = resources.flatMap(({ value, operations }) =>
		operations.flatMap((operation) => namesOf(value, operation)),
	);
	return `={{ ((p) => {
		const chosen = p.resource + '/' + p.operation;
		const table = ${JSON.stringify(Object.fromEntries(names))};
		const names = table[chosen] ?? table[chosen + '/' + (p.responseType ?? '${DEFAULT_RESPONSE_TYPE}')];
		return names ? names.map((displayName) => ({ type: '${NodeConnectionTypes.Main}', displayName }) ) : ['${NodeConnectionTypes.Main}'];
	})($parameter) }}`;
}
