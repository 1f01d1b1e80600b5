/** Deeper than any body that Diyalog documents by far; n8n copies and stores items recursively. */
const MAX_DEPTH = 32;

/** A field that assigns a prototype when an object is copied carelessly later on. */
const PROTOTYPE_FIELD = '__proto__';

/**
 * Copies parsed JSON of unknown shape so that it can do no harm as an output item: without `__proto__` fields, and with
 * null in place of what is nested too deeply.
 */
export function plainCopy(value: object): object {
	return copyObject(value, 0);
}

function copyObject(value: object, depth: number): object {
	if (Array.isArray(value)) return value.map((element) => copyValue(element, depth + 1));
	return Object.fromEntries(
		Object.entries(value)
			.filter(([name]) => name !== PROTOTYPE_FIELD)
			.map(([name, element]) => [name, copyValue(element, depth + 1)]),
	);
}

function copyValue(value: unknown, depth: number): unknown {
	if (typeof value !== 'object' || value === null) return value;
	return depth >= MAX_DEPTH ? null : copyObject(value, depth);
}
