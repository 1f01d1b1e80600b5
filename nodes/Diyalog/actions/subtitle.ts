import type { INodeProperties } from 'n8n-workflow';
import { DEFAULT_RESPONSE_TYPE } from '../wait/waitInput';
import type { Operation, Resource } from './operation';

/* What stands below the node on the canvas: the editor's own words for what was chosen. */

/** The names that a field gives to its values. */
const choicesOf = (fields: readonly INodeProperties[], name: string): Array<[string, string]> => {
	const field = fields.find((each) => each.name === name);
	return (field?.options ?? []).flatMap((option) =>
		'value' in option ? [[String(option.value), option.name]] : [],
	);
};

/** The words for an operation, by what stands in its fields. A question says what it waits for instead of its resource. */
function wordsOf(resource: Resource, operation: Operation): Array<[string, string]> {
	const chosen = `${resource.value}/${operation.value}`;
	if (operation.branches !== 'question') return [[chosen, `${resource.name}: ${operation.name}`]];
	return choicesOf(operation.fields, 'responseType').map(([type, label]) => [
		`${chosen}/${type}`,
		operation.name.replace('Response', label),
	]);
}

/**
 * The subtitle as the editor reads it: an expression. Nothing but the editor evaluates it.
 *
 * @param resources everything the node can do
 */
export function subtitleOf(resources: readonly Resource[]): string {
	const words = resources.flatMap((resource) =>
		resource.operations.flatMap((operation) => wordsOf(resource, operation)),
	);
	return `={{ ((p) => {
		const chosen = p.resource + '/' + p.operation;
		const words = ${JSON.stringify(Object.fromEntries(words))};
		return words[chosen] ?? words[chosen + '/' + (p.responseType ?? '${DEFAULT_RESPONSE_TYPE}')] ?? '';
	})($parameter) }}`;
}
