import { randomBytes, randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { deriveKey, hmacSha256 } from '../../../../nodes/Diyalog/lib/crypto';
import {
	fromMessageId,
	looksLikeReference,
	mayWaitForReceipt,
	MAX_MESSAGE_ID_CHARACTERS,
	readSignedResumeUrl,
	resumeUrlOf,
	toMessageId,
} from '../../../../nodes/Diyalog/wait/resumeReference';
import type { ResumeReference } from '../../../../nodes/Diyalog/wait/resumeReference';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const SECRET = randomBytes(16).toString('hex');

const newReference = (given: Partial<ResumeReference> = {}): ResumeReference => ({
	executionId: '4711',
	nodeId: randomUUID(),
	turn: randomBytes(12).toString('base64url'),
	number: 0,
	signature: randomBytes(32).toString('hex'),
	...given,
});

const idOf = (reference: ResumeReference, prefix = ''): string => {
	const id = toMessageId(reference, prefix, SECRET);
	if (id === undefined) throw new Error('does not fit');
	return id;
};

/** The one writing of a reference under a prefix, with parts that nobody but an attacker would choose. */
function sealed(front: string, secret: string, bytes = randomBytes(44)): string {
	const covered = Buffer.concat([Buffer.from(front), bytes]);
	const mac = hmacSha256(deriveKey(secret, 'resume reference'), covered).subarray(0, 8);
	return front + Buffer.concat([bytes, mac]).toString('base64url');
}

it('comes back from a messageId of at most 128 URL-safe characters, whatever the ids of n8n look like', () => {
	const executionId = fc.oneof(fc.nat().map(String), fc.uuid(), fc.constantFrom('007', 'a'));
	const nodeId = fc.oneof(fc.uuid(), fc.string({ minLength: 1, maxLength: 8 }));
	fc.assert(
		fc.property(
			executionId,
			nodeId,
			fc.integer({ min: 0, max: 255 }),
			(execution, node, number) => {
				const reference = newReference({ executionId: execution, nodeId: node, number });
				const messageId = toMessageId(reference, '', SECRET);
				if (messageId === undefined) return execution.length + node.length > 36;
				expect(messageId).toMatch(/^[A-Za-z0-9._-]+$/);
				expect(messageId.length).toBeLessThanOrEqual(MAX_MESSAGE_ID_CHARACTERS);
				expect(fromMessageId(messageId, [SECRET])).toEqual(reference);
				return true;
			},
		),
	);
});

it('says whether it waits for a receipt, under its MAC', () => {
	const reference = newReference({ waitsFor: 'receipt' });
	const messageId = idOf(reference, 'order');
	expect(messageId).toMatch(/\.r\.[\w-]{70}$/);
	expect(mayWaitForReceipt(messageId)).toBe(true);
	expect(fromMessageId(messageId, [SECRET])).toEqual(reference);
	expect(looksLikeReference(messageId.replace('.r.', '.0.'))).toBe(true);
	expect(fromMessageId(messageId.replace('.r.', '.0.'), [SECRET])).toBeUndefined();
	const question = idOf(newReference(), 'r');
	expect(mayWaitForReceipt(question)).toBe(false);
	expect(fromMessageId(question.replace('.0.', '.r.'), [SECRET])).toBeUndefined();
});

it('comes back for arbitrary ids and prefixes, or is not written', () => {
	const word = fc.stringMatching(/^[\w-]{1,12}$/);
	const anyId = fc.oneof(fc.string({ unit: 'binary', maxLength: 40 }), word, fc.uuid());
	const prefix = fc.oneof(fc.constant(''), word, fc.string({ maxLength: 8 }));
	let written = 0;
	fc.assert(
		fc.property(fc.oneof(anyId, fc.nat().map(String)), anyId, prefix, (execution, node, words) => {
			const reference = newReference({ executionId: execution, nodeId: node });
			const messageId = toMessageId(reference, words, SECRET);
			if (messageId === undefined) {
				const isPlain = /^[\w-]{1,10}$/.test(execution) && /^[\w-]*$/.test(words);
				const bytes = Buffer.byteLength(node);
				expect(isPlain && words.length <= 8 && bytes <= 25).toBe(false);
				return;
			}
			written++;
			expect(messageId).toMatch(/^[A-Za-z0-9._-]+$/);
			expect(fromMessageId(messageId, [SECRET])).toEqual(reference);
			expect(looksLikeReference(messageId)).toBe(true);
		}),
		{ numRuns: 500 },
	);
	expect(written).toBeGreaterThan(50);
});

it('shows prefix, execution and the number of wrong answers to whoever reads it', () => {
	const messageId = idOf(newReference({ executionId: '4711', number: 2 }), 'transfer-17');
	expect(messageId).toMatch(/^transfer-17\.4711\.[\w-]{22}\.2\.[\w-]{70}$/);
	expect(idOf(newReference({ executionId: '4711' }))).toMatch(/^4711\.[\w-]{22}\.0\.[\w-]{70}$/);
});

it('leaves room for a readable prefix of 20 characters, and refuses one that is too long', () => {
	const reference = newReference({ executionId: '99999999999' });
	const messageId = idOf(reference, 'p'.repeat(20));
	expect(messageId).toMatch(/^p{20}\./);
	expect(fromMessageId(messageId, [SECRET])).toEqual(reference);
	expect(toMessageId(reference, 'p'.repeat(60), SECRET)).toBeUndefined();
});

it.each(['1', '4711', '1234567', '2147483647'])(
	'takes the same prefixes and node ids in execution %s as in every other one',
	(executionId) => {
		const reference = newReference({ executionId, number: 9 });
		expect(idOf(reference, 'p'.repeat(21)).length).toBeLessThanOrEqual(128);
		expect(toMessageId(reference, 'p'.repeat(22), SECRET)).toBeUndefined();
		const named = (length: number) => ({ ...reference, nodeId: 'n'.repeat(length) });
		expect(fromMessageId(idOf(named(32)), [SECRET])).toEqual(named(32));
		expect(toMessageId(named(33), '', SECRET)).toBeUndefined();
		const capitals = { ...reference, nodeId: randomUUID().toUpperCase() };
		expect(toMessageId(capitals, '', SECRET)).toBeUndefined();
	},
);

it('counts no more than 255 wrong answers', () => {
	const reference = newReference({ number: 1_000 });
	expect(fromMessageId(idOf(reference), [SECRET])).toEqual({ ...reference, number: 255 });
});

it.each(['', '.', '1.2', '1/2', 'a b', '1]:', '[1', 'ç', '1\n', '%31'])(
	'is not written for the execution %j',
	(executionId) => {
		expect(toMessageId(newReference({ executionId }), '', SECRET)).toBeUndefined();
		expect(toMessageId(newReference({ executionId }), 'transfer', SECRET)).toBeUndefined();
	},
);

it.each(['[', ']:', 'a]:b', 'ç', 'a b', '\n', '\uD83D'])('is not written behind %j', (prefix) => {
	expect(toMessageId(newReference(), prefix, SECRET)).toBeUndefined();
});

it('is not written for half a surrogate pair, whose bytes are those of another id', () => {
	expect(toMessageId(newReference({ nodeId: '\uD83D' }), '', SECRET)).toBeUndefined();
	expect(toMessageId(newReference({ nodeId: '\uFFFD' }), '', SECRET)).toBeDefined();
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

describe.each([
	['without a prefix', '4711', randomUUID(), ''],
	['behind a prefix', '4711', randomUUID(), 'transfer-17'],
	['behind a prefix with dots', '4711', randomUUID(), 'a.b..c'],
	['behind what reads like a reference', '4711', randomUUID(), '42.-YXNr.0'],
	['with a node id that is a word', '4711', 'ask', ''],
	['with an execution id that is a word', 'a', randomUUID(), ''],
])('%s', (_how, executionId, nodeId, prefix) => {
	const reference = newReference({ executionId, nodeId });
	const messageId = idOf(reference, prefix);

	it('it is genuine', () => {
		expect(fromMessageId(messageId, [SECRET])).toEqual(reference);
	});

	it('any single altered, missing or additional character makes it an ordinary messageId', () => {
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

	it('every character changed into every other one makes it an ordinary messageId', () => {
		const characters = [...`${ALPHABET}.+/= []:\n%ç`];
		for (let position = 0; position < messageId.length; position++) {
			for (const other of characters.filter((each) => each !== messageId[position])) {
				const forged = messageId.slice(0, position) + other + messageId.slice(position + 1);
				expect(fromMessageId(forged, [SECRET])).toBeUndefined();
			}
		}
	});

	it('it is ordinary once it is cut at any place, or something stands around it', () => {
		for (let length = 0; length < messageId.length; length++) {
			expect(fromMessageId(messageId.slice(0, length), [SECRET])).toBeUndefined();
			expect(fromMessageId(messageId.slice(length + 1), [SECRET])).toBeUndefined();
		}
		for (const around of ['.', '1.', 'x.', '0', '-', ' ', '\n', '=', '\0']) {
			expect(fromMessageId(around + messageId, [SECRET])).toBeUndefined();
			expect(fromMessageId(messageId + around, [SECRET])).toBeUndefined();
		}
	});
});

it('no part can be moved from one reference to another', () => {
	const [one, two] = [newReference({ number: 1 }), newReference({ executionId: '4712' })];
	const [first, second] = [idOf(one, 'a').split('.'), idOf(two, 'b').split('.')];
	for (let mask = 1; mask < 2 ** first.length - 1; mask++) {
		const mixed = first.map((part, index) => (mask & (1 << index) ? part : second[index]));
		expect(fromMessageId(mixed.join('.'), [SECRET])).toBeUndefined();
	}
});

it('a dot that is moved between prefix, execution and node does not give another reference', () => {
	const front = (words: string[]) => `${words.join('.')}.`;
	const bytes = randomBytes(44);
	const node = randomBytes(16).toString('base64url');
	const genuine = sealed(front(['1', '22', node, '0']), SECRET, bytes);
	expect(fromMessageId(genuine, [SECRET])?.executionId).toBe('22');
	const seal = genuine.slice(genuine.lastIndexOf('.') + 1);
	for (const moved of [
		['12', '2', node, '0'],
		['122', node, '0'],
		['1.22', '', node, '0'],
	]) {
		expect(fromMessageId(front(moved) + seal, [SECRET])).toBeUndefined();
	}
});

/* Even who could make MACs has one writing for each reference only. */
const UUID_NODE = 'AAAAAAAAAAAAAAAAAAAAAA';
it.each([
	['an attempt with a leading zero', `1.${UUID_NODE}.00.`],
	['an attempt with a sign', `1.${UUID_NODE}.-0.`],
	['an attempt beyond 255', `1.${UUID_NODE}.256.`],
	['no attempt', `1.${UUID_NODE}..`],
	['no execution', `.${UUID_NODE}.0.`],
	['no execution behind a prefix', `p..${UUID_NODE}.0.`],
	['no node', '1..0.'],
	['a UUID with unused bits', `1.${UUID_NODE.slice(1)}B.0.`],
	['a UUID as text', `1.-${Buffer.from(randomUUID()).toString('base64url')}.0.`],
	['a node id without its dash', '1.YXNr.0.'],
	['a node id with an underscore for the dash', '1._YXNr.0.'],
	['a node id with unused bits', '1.-YR.0.'],
	['a node id with a character too many', '1.-YXNrA.0.'],
	['a node id that is not UTF-8', `1.-${Buffer.from([0xc5]).toString('base64url')}.0.`],
	['a prefix with other characters', `ç.1.${UUID_NODE}.0.`],
	['an empty prefix', `.1.${UUID_NODE}.0.`],
	['more than 128 characters', `${'p'.repeat(32)}.1.${UUID_NODE}.0.`],
])('%s is no reference, whatever its MAC', (_what, front) => {
	const genuine = sealed(`1.${UUID_NODE}.0.`, SECRET);
	expect(fromMessageId(genuine, [SECRET])).toBeDefined();
	expect(looksLikeReference(genuine)).toBe(true);
	const messageId = sealed(front, SECRET);
	expect(fromMessageId(messageId, [SECRET])).toBeUndefined();
	expect(looksLikeReference(messageId)).toBe(false);
});

it.each([43, 45])('a seal of %d bytes before the MAC is none, whatever its MAC', (length) => {
	const messageId = sealed(`1.${UUID_NODE}.0.`, SECRET, randomBytes(length));
	expect(fromMessageId(messageId, [SECRET])).toBeUndefined();
	expect(looksLikeReference(messageId)).toBe(false);
});

it('the unused bits at the end of the seal are part of the writing', () => {
	const messageId = idOf(newReference());
	const last = ALPHABET.indexOf(messageId.slice(-1));
	const same = [...ALPHABET].filter((_, index) => index >> 4 === last >> 4 && index !== last);
	const bytesOf = (text: string) => Buffer.from(text.slice(-70), 'base64url');
	for (const character of same) {
		const other = messageId.slice(0, -1) + character;
		expect(bytesOf(other)).toEqual(bytesOf(messageId));
		expect(fromMessageId(other, [SECRET])).toBeUndefined();
		expect(looksLikeReference(other)).toBe(false);
	}
});

it('two references never have the same text, and two node ids never the same writing', () => {
	// 15 and 16 bytes of text, a UUID in capitals, and its 16 bytes: whatever could be written in about 22 characters.
	const uuid = randomUUID();
	const bytes = Buffer.from(uuid.replaceAll('-', ''), 'hex');
	const nodeIds = [
		...[uuid, bytes.toString('base64url'), bytes.toString('latin1'), `-${uuid}`.slice(0, 30)],
		...Array.from({ length: 30 }, (_, length) => '-'.repeat(length)),
		...Array.from({ length: 30 }, (_, length) => 'A'.repeat(length + 1)),
	];
	const common = { turn: newReference().turn, signature: newReference().signature };
	const ids = nodeIds.map((nodeId) => toMessageId(newReference({ ...common, nodeId }), '', SECRET));
	const written = ids.filter((id) => id !== undefined);
	expect(written.length).toBeGreaterThan(60);
	expect(new Set(written.map((id) => id.split('.')[1])).size).toBe(written.length);
});

it('a forged one has the form of a reference all the same, a broken one has not', () => {
	const messageId = idOf(newReference(), 'p');
	expect(fromMessageId(messageId, ['other'])).toBeUndefined();
	expect(looksLikeReference(messageId)).toBe(true);
	expect(looksLikeReference(messageId.replace('p.', ''))).toBe(true);
	expect(looksLikeReference(messageId.slice(0, -1))).toBe(false);
	expect(looksLikeReference(`${messageId}.`)).toBe(false);
	expect(looksLikeReference(`${'p'.repeat(128)}.${messageId}`)).toBe(false);
});

it('ordinary messageIds are none', () => {
	const ids = ['', '.', 'transfer-17', randomUUID(), 'x'.repeat(10_000), '[a]:b', 'ç'.repeat(100)];
	for (const id of ids) expect(fromMessageId(id, [SECRET])).toBeUndefined();
	fc.assert(fc.property(fc.string(), (id) => fromMessageId(id, [SECRET]) === undefined));
});
