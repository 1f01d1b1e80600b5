import type { IExecuteFunctions, INodeProperties } from 'n8n-workflow';
import { nothingAsNull } from '../input/nothing';
import { isShown } from '../input/shown';
import type { Entered } from '../input/shown';

/** Whether a parameter as it stands in the workflow holds an expression, and so can differ from item to item. */
function holdsExpression(raw: unknown): boolean {
	if (typeof raw === 'string') return raw.startsWith('=');
	return typeof raw === 'object' && raw !== null && Object.values(raw).some(holdsExpression);
}

/** A parameter, or `<parameter>.<entry>` of a collection, and its value where a workflow that was stored earlier has none. */
type Parameter = Pick<INodeProperties, 'name' | 'default'>;

/** Gives the value of a parameter for an item; of a field with null where an expression gives nothing (see nothingAsNull). */
export type ParameterReader = (
	parameter: Parameter | INodeProperties,
	itemIndex: number,
) => unknown;

/** Makes a reader of what n8n gives for a parameter, and of how that stands in the workflow. */
export const readerWith =
	(read: ParameterReader, rawOf: (name: string) => unknown): ParameterReader =>
	(parameter, itemIndex) => {
		const value = read(parameter, itemIndex);
		return 'type' in parameter ? nothingAsNull(parameter, value, rawOf(parameter.name)) : value;
	};

/** How a parameter stands in the workflow, the same for all items. */
export const rawParameter = (context: IExecuteFunctions, name: string): unknown =>
	context.getNodeParameter(name, 0, null, { rawExpressions: true });

/** What n8n would check of a value is checked by our own schemas, in words that say what to do. */
const UNCHECKED = { skipValidation: true };

/**
 * Reads parameters for many items. n8n resolves and checks a parameter anew for each item, which is most of the work of
 * sending one; a parameter without an expression is the same for all items and is read once.
 */
export function parameterReader(context: IExecuteFunctions): ParameterReader {
	const read: ParameterReader = ({ name, default: missing }, itemIndex) =>
		context.getNodeParameter(name, itemIndex, missing, UNCHECKED);
	const constants = new Map<string, unknown>();
	/** of parameters that can differ, how they stand in the workflow; undefined for others */
	const expressions = new Map<string, unknown>();
	const readDiffering = readerWith(read, (name) => expressions.get(name));
	return (parameter, itemIndex) => {
		const { name } = parameter;
		if (!expressions.has(name)) {
			const raw = rawParameter(context, name);
			expressions.set(name, holdsExpression(raw) ? raw : undefined);
		}
		if (expressions.get(name) !== undefined) return readDiffering(parameter, itemIndex);
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
