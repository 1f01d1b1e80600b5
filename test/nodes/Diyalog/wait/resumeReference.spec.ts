import { randomBytes, randomUUID } from 'node:crypto';
import fc from 'fast-check';
import {
	fromMessageId,
	MAX_MESSAGE_ID_CHARACTERS,
	readSignedResumeUrl,
	resumeUrlOf,
	toMessageId,
} from '../../../../nodes/Diyalog/wait/resumeReference';
import type { ResumeReference } from '../../../../nodes/Diyalog/wait/resumeReference';

const SECRET = randomBytes(16).toString('hex');

const newReference = (given: Partial<ResumeReference> = {}): ResumeReference => ({
	executionId: '4711',
	nodeId: randomUUID(),
	turn: randomBytes(12).toString('base64url'),
	attempt: 0,
	signature: randomBytes(32).toString('hex'),
	...given,
});

const idOf = (reference: ResumeReference, prefix = ''): string => {
	const id = toMessageId(reference, prefix, SECRET);
	if (id === undefined) throw new Error('does not fit');
	return id;
};

it('comes back from a messageId of at most 128 URL-safe characters, whatever the ids of n8n look like', () => {
	const executionId = fc.oneof(fc.nat().map(String), fc.uuid(), fc.constantFrom('007', 'a'));
	const nodeId = fc.oneof(fc.uuid(), fc.string({ minLength: 1, maxLength: 8 }));
	fc.assert(
		fc.property(
			executionId,
			nodeId,
			fc.integer({ min: 0, max: 255 }),
			(execution, node, attempt) => {
				const reference = newReference({ executionId: execution, nodeId: node, attempt });
				const messageId = toMessageId(reference, '', SECRET);
				if (messageId === undefined) return execution.length + node.length > 36;
				expect(messageId).toMatch(/^[A-Za-z0-9_-]+$/);
				expect(messageId.length).toBeLessThanOrEqual(MAX_MESSAGE_ID_CHARACTERS);
				expect(fromMessageId(messageId, [SECRET])).toEqual(reference);
				return true;
			},
		),
	);
});

it('leaves room for a readable prefix of 20 characters, and refuses one that is too long', () => {
	const reference = newReference({ executionId: '99999999999' });
	const messageId = idOf(reference, 'p'.repeat(20));
	expect(messageId).toMatch(/^p{20}\./);
	expect(fromMessageId(messageId, [SECRET])).toEqual(reference);
	expect(toMessageId(reference, 'p'.repeat(60), SECRET)).toBeUndefined();
});

it('builds the address again to the letter that n8n signed, on the base of this instance', () => {
	const { turn, signature, nodeId } = newReference();
	const signed = `https://n8n.example.com/n8n/webhook-waiting/4711/${nodeId}?turn=${turn}&signature=${signature}`;
	const reference = readSignedResumeUrl(signed, '4711', nodeId);
	if (!reference) throw new Error('was not read');
	const read = fromMessageId(idOf(reference), [SECRET]);
	expect(read && resumeUrlOf(read, 'http://127.0.0.1:5678/n8n/webhook-waiting')).toBe(
		signed.replace('https://n8n.example.com', 'http://127.0.0.1:5678'),
	);
});

it('is not read from addresses that are signed in another way', () => {
	expect(
		readSignedResumeUrl('https://n8n.example.com/webhook-waiting/1/n?turn=a&signature=b', '1', 'n'),
	).toBeUndefined();
	expect(
		readSignedResumeUrl(`https://n8n.example.com/1/n?signature=${'0'.repeat(64)}`, '1', 'n'),
	).toBeUndefined();
});

it('a rotated secret is still accepted as the previous one, another one is not', () => {
	const messageId = idOf(newReference());
	expect(fromMessageId(messageId, ['new', SECRET])).toBeDefined();
	expect(fromMessageId(messageId, ['new', ''])).toBeUndefined();
	expect(fromMessageId(messageId, [''])).toBeUndefined();
});

it('any single altered, missing or additional character makes it an ordinary messageId', () => {
	const messageId = idOf(newReference());
	for (let position = 0; position < messageId.length; position++) {
		const before = messageId.slice(0, position);
		const after = messageId.slice(position + 1);
		const other = messageId[position] === 'A' ? 'B' : 'A';
		for (const forged of [
			before + other + after,
			before + after,
			`${before}A${messageId.slice(position)}`,
		]) {
			expect(fromMessageId(forged, [SECRET])).toBeUndefined();
		}
	}
});

it('ordinary messageIds are none', () => {
	const ids = ['', '.', 'transfer-17', randomUUID(), 'x'.repeat(10_000), '[a]:b', 'ç'.repeat(100)];
	for (const id of ids) expect(fromMessageId(id, [SECRET])).toBeUndefined();
	fc.assert(fc.property(fc.string(), (id) => fromMessageId(id, [SECRET]) === undefined));
});
