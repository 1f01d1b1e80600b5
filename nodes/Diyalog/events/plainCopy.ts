/** Deeper than any body that Diyalog documents by far; n8n copies and stores items recursively. */
const MAX_DEPTH = 32;

/** A key that assigns a prototype when an object is copied carelessly later on. */
const PROTOTYPE_KEY = '__proto__';

/**
 * Copies parsed JSON of unknown shape so that it can do no harm as an output item: without `__proto__` keys, and with
 * null in place of what is nested too deeply.
 */
export function plainCopy(value: object): object {
	return copyObject(value, 0);
}

function copyObject(value: object, depth: number): object {
	if (Array.isArray(value)) return value.map((element) => copyValue(element, depth + 1));
	return Object.fromEntries(
		Object.entries(value)
			.filter(([key]) => key !== PROTOTYPE_KEY)
			.map(([key, element]) => [key, copyValue(element, depth + 1)]),
	);
}

function copyValue(value: unknown, depth: number): unknown {
	if (typeof value !== 'object' || value === null) return value;
	return depth >= MAX_DEPTH ? null : copyObject(value, depth);
}
