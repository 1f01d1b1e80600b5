/*
 * n8n loads every node when it starts, and waits for it. So all files share one way to zod, because looking for a package takes
 * longer than using it, and a schema is made when it is first used.
 */
import { z } from 'zod/v4';

export { z };

/**
 * A schema that is made when it is first asked for, and kept.
 *
 * @param make makes the schema, or a group of schemas; called once
 */
export function lazily<T>(make: () => T): () => T {
	let made: { readonly value: T } | undefined;
	return () => (made ??= { value: make() }).value;
}

/** A list of so many elements at most. zod alone looks at each of a million of them before it counts, for seconds. */
export const listUpTo = <T extends z.ZodType>(max: number, element: T) =>
	z.custom<unknown[]>((list) => Array.isArray(list) && list.length <= max).pipe(z.array(element));
