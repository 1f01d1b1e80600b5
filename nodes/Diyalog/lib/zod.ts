/*
 * n8n loads every node when it starts, and waits for it. So all files share one way to zod, because looking for a package takes
 * longer than using it, and a schema is made when it is first used.
 */
export { z } from 'zod/v4';

/**
 * A schema that is made when it is first asked for, and kept.
 *
 * @param make makes the schema, or a group of schemas; called once
 */
export function lazily<T>(make: () => T): () => T {
	let made: { readonly value: T } | undefined;
	return () => (made ??= { value: make() }).value;
}
