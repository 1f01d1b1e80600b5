import type { INodeProperties } from 'n8n-workflow';

/** What was entered into the fields of one level, by name. */
export type Entered = Readonly<Record<string, unknown>>;

/**
 * Whether the editor shows a field, as its displayOptions say. Of these n8n can do more than is used here: lists of values.
 *
 * @param values of the fields beside it
 * @param all values of the node, for names that begin with a slash
 */
export function isShown(
	{ displayOptions: { show = {}, hide = {} } = {} }: Pick<INodeProperties, 'displayOptions'>,
	values: Entered,
	all: Entered = values,
): boolean {
	const holds = ([name, allowed]: [string, readonly unknown[] | undefined]): boolean =>
		allowed?.includes(name.startsWith('/') ? all[name.slice(1)] : values[name]) === true;
	return Object.entries(show).every(holds) && !Object.entries(hide).some(holds);
}
