import { createSecretKey } from 'node:crypto';
import { gapAfter, mark, placesOf } from '../../../../nodes/Diyalog/memory/marks';
import type { Place } from '../../../../nodes/Diyalog/memory/marks';

const keyOf = (byte: number) => createSecretKey(Buffer.alloc(32, byte));

const KEY = keyOf(1);
const NOW_MS = Date.UTC(2026, 10, 22, 12, 0, 0);
const LIMIT = { count: 3, windowMinutes: 60 };

const namesOf = (places: Place[]): string[] =>
	places.flatMap(({ take, keep }) => [...take, ...keep]).map(({ name }) => name);

it('where one fact ends and the next begins counts, and so does the key', () => {
	const names = [
		mark(KEY, NOW_MS, 'ab', 'c'),
		mark(KEY, NOW_MS, 'a', 'bc'),
		mark(KEY, NOW_MS, 'abc'),
		mark(keyOf(2), NOW_MS, 'abc'),
	].map(({ name }) => name);
	expect(new Set(names).size).toBe(names.length);
});

it('places and gaps of any kind and subject have nothing in common', () => {
	const names = ['failure', 'send', 'question'].flatMap((kind) =>
		['70021', '70022'].flatMap((subject) =>
			namesOf([
				...placesOf(KEY, kind, subject, LIMIT, NOW_MS),
				gapAfter(KEY, kind, subject, 15, 2, NOW_MS),
			]),
		),
	);
	expect(new Set(names).size).toBe(names.length);
	// Three places of five marks, and a gap of twice two parts and the current one, for six.
	expect(names).toHaveLength(6 * (3 * 5 + 5));
});

it('a gap that has doubled a hundred times is no longer than 512 of the first, and costs as few marks', () => {
	const { take, keep } = gapAfter(KEY, 'gap', 'a', 1, 100, NOW_MS);
	expect(take.length + keep.length).toBe(2 * 512 + 1);
	expect(gapAfter(KEY, 'gap', 'a', 1, 10, NOW_MS).keep).toHaveLength(keep.length);
});
