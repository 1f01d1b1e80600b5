import { BoundedMap, BoundedSet } from '../../../../nodes/Diyalog/lib/boundedMap';

describe('a map with a maximum', () => {
	it('forgets what was written longest ago, and only that', () => {
		const map = new BoundedMap<string, number>(3);
		for (const [index, key] of ['a', 'b', 'c', 'd'].entries()) map.set(key, index);
		expect([...map]).toEqual([
			['b', 1],
			['c', 2],
			['d', 3],
		]);
	});

	it('forgets nothing when an entry is written again at the maximum, and makes it the newest', () => {
		const map = new BoundedMap<string, number>(2);
		map.set('a', 1).set('b', 2).set('a', 3);
		expect([...map]).toEqual([
			['b', 2],
			['a', 3],
		]);
		map.set('c', 4);
		expect([...map.keys()]).toEqual(['a', 'c']);
	});

	it('does not take reading for writing', () => {
		const map = new BoundedMap<string, number>(2).set('a', 1).set('b', 2);
		map.get('a');
		map.getOrMake('a', () => 9);
		map.set('c', 3);
		expect([...map.keys()]).toEqual(['b', 'c']);
	});

	it('makes a value once', () => {
		const map = new BoundedMap<string, object>(2);
		const made = map.getOrMake('a', () => ({}));
		expect(map.getOrMake('a', () => ({}))).toBe(made);
	});

	it('has room again for what was deleted', () => {
		const map = new BoundedMap<string, number>(2).set('a', 1).set('b', 2);
		map.delete('b');
		map.set('c', 3);
		expect([...map.keys()]).toEqual(['a', 'c']);
	});

	it('forgets a key that is undefined like any other', () => {
		const map = new BoundedMap<string | undefined, number>(1).set(undefined, 1).set('a', 2);
		expect([...map.keys()]).toEqual(['a']);
	});
});

describe('a set with a maximum', () => {
	it('forgets what was added longest ago; adding again makes it the newest', () => {
		const set = new BoundedSet<string>(2).add('a').add('b').add('a');
		expect([...set]).toEqual(['b', 'a']);
		set.add('c');
		expect([...set]).toEqual(['a', 'c']);
	});
});
