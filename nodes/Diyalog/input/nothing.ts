import { isObject } from './json';
import { entriesIn } from './problem';
import type { Entry } from './problem';

/*
 * What an expression gives nothing for, e.g. because a name in it is misspelled. What a field holds by default may be looser than
 * what was meant, so it counts only where nobody has entered anything.
 */

const isExpression = (raw: unknown): boolean => typeof raw === 'string' && raw.startsWith('=');

/** An empty text loosens nothing; a person's keys are no such text. */
const mayBeEmpty = (field: Entry): boolean =>
	!('values' in field) && ['string', 'json'].includes(field.type) && field.name !== 'personKeys';

/** More than any list of fields has; a longer one is refused where it is counted. */
const MAX_ELEMENTS = 100;

/**
 * The value of a field, with null wherever an expression gives nothing or an empty text for a number, a choice, a switch or more
 * than that. No schema takes null for one of these.
 *
 * @param raw as it stands in the workflow
 */
export function nothingAsNull(field: Entry, value: unknown, raw: unknown): unknown {
	if (isExpression(raw) && (value ?? '') === '') return mayBeEmpty(field) ? value : null;
	if (Array.isArray(value)) {
		if (value.length > MAX_ELEMENTS) return value;
		return value.map((each, index) => within(field, each, Array.isArray(raw) ? raw[index] : raw));
	}
	return within(field, value, raw);
}

/** The same for each field that is part of another one. */
function within(field: Entry, value: unknown, raw: unknown): unknown {
	if (!isObject(value)) return value;
	const known = entriesIn(field).filter(({ name }) => Object.hasOwn(value, name));
	if (known.length === 0) return value;
	const partOf = (name: string) => (isObject(raw) ? raw[name] : raw);
	const parts = known.map((part) => [
		part.name,
		nothingAsNull(part, value[part.name], partOf(part.name)),
	]);
	return { ...value, ...Object.fromEntries(parts) };
}
