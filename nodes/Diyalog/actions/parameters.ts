import type { IExecuteFunctions } from 'n8n-workflow';

/** Whether a parameter as it stands in the workflow holds an expression, and so can differ from item to item. */
function holdsExpression(raw: unknown): boolean {
	if (typeof raw === 'string') return raw.startsWith('=');
	return typeof raw === 'object' && raw !== null && Object.values(raw).some(holdsExpression);
}

/** Gives the value of a parameter for an item. */
export type ParameterReader = (name: string, itemIndex: number) => unknown;

/**
 * Reads parameters for many items. n8n resolves and checks a parameter anew for each item, which is most of the work of
 * sending one; a parameter without an expression is the same for all items and is read once.
 */
export function parameterReader(context: IExecuteFunctions): ParameterReader {
	const { parameters } = context.getNode();
	const constants = new Map<string, unknown>();
	return (name, itemIndex) => {
		if (holdsExpression(parameters[name])) {
			return context.getNodeParameter(name, itemIndex, undefined);
		}
		if (!constants.has(name)) constants.set(name, context.getNodeParameter(name, 0, undefined));
		return constants.get(name);
	};
}
