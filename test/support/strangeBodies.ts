import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { HttpClient } from './httpClient';
import { hmacSha1 } from './sign';
import { entry, envelope, written } from './webhookBodies';
import type { WebhookServer } from './webhookServer';

/*
 * Bodies of every shape, each beside one press; half of them are forged. No error may escape, no forgery may be accepted, and
 * no press may be lost or taken twice.
 */

/** So many go out side by side. */
const AT_ONCE = 100;

const anything = fc.jsonValue({ maxDepth: 2 });
const now = fc.constant(Date.now());
const id = fc.oneof(fc.string(), anything);
const parts = fc.record({
	time: fc.oneof(now, anything),
	timestamp: fc.oneof(now, anything),
	customerNo: id,
	webhookId: id,
});
const event = fc.oneof(
	fc.record({ message: fc.record({ mid: id, text: fc.string() }) }),
	fc.record({ delivery: anything }),
	fc.record({ reads: fc.record({ mids: anything, watermark: anything }) }),
	fc.dictionary(fc.string(), anything),
);
const strangeEntry = fc.oneof(
	anything,
	fc.tuple(event, parts).map(([given, rest]) => entry(given, rest as never)),
);
const strangeCalls = fc.array(
	fc.record({
		before: fc.array(strangeEntry, { maxLength: 1 }),
		after: fc.array(strangeEntry, { maxLength: 1 }),
		forged: fc.boolean(),
	}),
	{ minLength: AT_ONCE, maxLength: AT_ONCE },
);

/**
 * Posts generated bodies to a trigger that takes all events, and throws with a counterexample when one is treated wrongly.
 *
 * @param secret the App Secret of the trigger
 * @param bodies how many
 */
export async function postStrangeBodies(
	server: WebhookServer,
	secret: string,
	bodies: number,
): Promise<void> {
	const client = new HttpClient();
	const property = fc.asyncProperty(strangeCalls, async (calls) => {
		server.executions.length = 0;
		const results = await Promise.all(
			calls.map(async ({ before, after, forged }) => {
				const pressed = randomUUID();
				const body = Buffer.from(envelope(...before, written(`[${pressed}]:x`), ...after));
				const signature = hmacSha1(body, forged ? 'guessed' : secret);
				const headers = { 'content-type': 'application/json', 'x-signature': signature };
				const { status } = await client.post(server.url, body, headers);
				return { pressed, status, expected: forged ? 401 : 200, times: forged ? 0 : 1 };
			}),
		);
		const taken = new Map<unknown, number>();
		for (const { messageId } of server.executions.flat())
			taken.set(messageId, (taken.get(messageId) ?? 0) + 1);
		return results.every(
			({ pressed, status, expected, times }) =>
				status === expected && (taken.get(pressed) ?? 0) === times && server.escaped.length === 0,
		);
	});
	await fc.assert(property, { numRuns: bodies / AT_ONCE, endOnFailure: true });
	client.close();
}
