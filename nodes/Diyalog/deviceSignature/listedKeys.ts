import { eachOf, isNothing, MAX_KEY_CHARACTERS, MAX_KEYS } from './enteredKeys';
import type { KeySource } from './enteredKeys';
import { charactersIn } from './jwk';
import { keyTooLong, tooManyKeys } from './keyProblems';

/* How much there may be: keys may come from the people whose devices they are, and each takes time in which n8n does nothing else. */

/**
 * Each of the keys that were entered, in lists and beside them. They are counted before anything else is done with them.
 *
 * @throws SettingsProblem when there are too many of them, or all together are too long
 */
export function listedKeys(sources: readonly KeySource[]): KeySource[] {
	const [first] = sources;
	if (!first) return [];
	const count = sources.reduce(
		(sum, { entered }) => sum + (Array.isArray(entered) ? entered.length : 1),
		0,
	);
	if (count > MAX_KEYS) throw tooManyKeys(first);
	const listed = sources.flatMap(eachOf);
	const filled = listed.map(({ entered }) => entered).filter((entered) => !isNothing(entered));
	if (charactersIn(filled, MAX_KEY_CHARACTERS) > MAX_KEY_CHARACTERS) throw keyTooLong(first);
	return listed;
}
