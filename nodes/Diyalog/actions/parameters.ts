import type { IExecuteFunctions, INodeProperties } from 'n8n-workflow';
import { isShown } from '../input/shown';
import type { Entered } from '../input/shown';

/** Whether a parameter as it stands in the workflow holds an expression, and so can differ from item to item. */
function holdsExpression(raw: unknown): boolean {
	if (typeof raw === 'string') return raw.startsWith('=');
	return typeof raw === 'object' && raw !== null && Object.values(raw).some(holdsExpression);
}

/** A parameter, or `<parameter>.<entry>` of a collection, and its value where a workflow that was stored earlier has none. */
type Parameter = Pick<INodeProperties, 'name' | 'default'>;

/** Gives the value of a parameter for an item. */
export type ParameterReader = (parameter: Parameter, itemIndex: number) => unknown;

/** What n8n would check of a value is checked by our own schemas, in words that say what to do. */
const UNCHECKED = { skipValidation: true };

/**
 * Reads parameters for many items. n8n resolves and checks a parameter anew for each item, which is most of the work of
 * sending one; a parameter without an expression is the same for all items and is read once.
 */
export function parameterReader(context: IExecuteFunctions): ParameterReader {
	const read: ParameterReader = ({ name, default: missing }, itemIndex) =>
		context.getNodeParameter(name, itemIndex, missing, UNCHECKED);
	const rawOf = (name: string): unknown =>
		context.getNodeParameter(name, 0, null, { rawExpressions: true });
	const constants = new Map<string, unknown>();
	const differing = new Map<string, boolean>();
	return (parameter, itemIndex) => {
		const { name } = parameter;
		let differs = differing.get(name);
		if (differs === undefined) {
			differs = holdsExpression(rawOf(name));
			differing.set(name, differs);
		}
		if (differs) return read(parameter, itemIndex);
		if (!constants.has(name)) constants.set(name, read(parameter, 0));
		return constants.get(name);
	};
}

/**
 * What was entered into fields for an item. Those that the editor does not show cannot be read, and do not count.
 *
 * @param fields in the order of the editor: which are shown depends on what stands above them
 */
export function readFields(
	read: ParameterReader,
	fields: readonly INodeProperties[],
	itemIndex: number,
): Entered {
	const entered: Record<string, unknown> = {};
	for (const field of fields) {
		if (field.type !== 'notice' && isShown(field, entered))
			entered[field.name] = read(field, itemIndex);
	}
	return entered;
}
