/* What a process remembers must not grow for ever: collections that forget their oldest entry beyond a maximum. */

function dropOldest<K>(
	collection: { readonly size: number; keys(): Iterable<K>; delete(key: K): boolean },
	maxSize: number,
): void {
	if (collection.size <= maxSize) return;
	for (const oldest of collection.keys()) return void collection.delete(oldest);
}

/** A Map that forgets what was written longest ago. Writing an entry again makes it the newest; reading it does not. */
export class BoundedMap<K, V> extends Map<K, V> {
	/** @param maxSize so many entries at most */
	constructor(private readonly maxSize: number) {
		super();
	}

	override set(key: K, value: V): this {
		this.delete(key);
		super.set(key, value);
		dropOldest(this, this.maxSize);
		return this;
	}

	/** The value of a key, which is made when there is none. */
	getOrMake(key: K, make: () => V): V {
		const known = this.get(key);
		if (known !== undefined) return known;
		const made = make();
		this.set(key, made);
		return made;
	}
}

/** A Set that forgets what was added longest ago. Adding a value again makes it the newest. */
export class BoundedSet<T> extends Set<T> {
	/** @param maxSize so many values at most */
	constructor(private readonly maxSize: number) {
		super();
	}

	override add(value: T): this {
		this.delete(value);
		super.add(value);
		dropOldest(this, this.maxSize);
		return this;
	}
}
