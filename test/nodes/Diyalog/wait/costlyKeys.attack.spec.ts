import { busyMs, waitFor } from '../../../../tools/system';
import { postSigned } from '../../../support/sign';
import { plain } from '../../../support/signedFormats';
import type { Format } from '../../../support/signedFormats';
import { PEOPLE, SECRET, SignedQuestions } from '../../../support/signedQuestions';
import { entry, envelope } from '../../../support/webhookBodies';

/* What a person's own registered keys may cost when answers to a question are checked. */

const questions = new SignedQuestions();

/* DER, as far as it is needed here. */
const lengthOf = (count: number): Buffer =>
	count < 0x80 ? Buffer.from([count]) : Buffer.from([0x82, count >> 8, count & 0xff]);
const der = (tag: number, ...parts: Buffer[]): Buffer => {
	const content = Buffer.concat(parts);
	return Buffer.concat([Buffer.from([tag]), lengthOf(content.length), content]);
};
const integer = (bytes: Buffer): Buffer => der(2, Buffer.concat([Buffer.alloc(1), bytes]));
const hex = (text: string): Buffer => Buffer.from(text, 'hex');

const nameOf = (text: string): Buffer =>
	der(0x30, der(0x31, der(0x30, hex('0603550403'), der(0x0c, Buffer.from(text)))));

/** Certificates that nobody has signed. Where they have one name each might have issued each other. */
function certificates(count: number, bytes: number, subject: (index: number) => string): string {
	const time = (year: string) => der(0x17, Buffer.from(`${year}0101000000Z`));
	const dates = der(0x30, time('25'), time('35'));
	const algorithm = hex('300d06092a864886f70d01010b0500');
	const modulus = Buffer.alloc(bytes, 0xff);
	const key = der(0x30, integer(modulus), integer(Buffer.alloc(8, 0xff)));
	const spki = der(0x30, hex('300d06092a864886f70d0101010500'), der(3, Buffer.alloc(1), key));
	return Array.from({ length: count }, (_, index) => {
		const serial = der(2, Buffer.from([index + 1]));
		const inner = der(0x30, serial, algorithm, nameOf('a'), dates, nameOf(subject(index)), spki);
		const signature = der(3, Buffer.alloc(1), Buffer.alloc(bytes, 0x11));
		return der(0x30, inner, algorithm, signature).toString('base64');
	}).join(',');
}

const minimal = (bytes: Buffer): Buffer =>
	(bytes[0] ?? 0) & 0x80 ? integer(bytes) : der(2, bytes);
const nats = (text: bigint): Buffer => hex(text.toString(16));

/** Certificates that may all have issued one another, with a key of any kind. */
function withKeys(count: number, spki: Buffer, algorithm: Buffer, signature: Buffer): string {
	const time = (year: string) => der(0x17, Buffer.from(`${year}0101000000Z`));
	const dates = der(0x30, time('25'), time('35'));
	return Array.from({ length: count }, (_, index) => {
		const serial = der(2, Buffer.from([index + 1]));
		const inner = der(0x30, serial, algorithm, nameOf('a'), dates, nameOf('a'), spki);
		return der(0x30, inner, algorithm, der(3, Buffer.alloc(1), signature)).toString('base64');
	}).join(',');
}

/** Of 10,000 bits, the most that OpenSSL checks. */
function dsaOf10000Bits(count: number): string {
	const bytes = 1_249;
	const q = nats(2n ** 256n - 189n);
	const params = der(
		0x30,
		minimal(Buffer.alloc(bytes, 0xff)),
		minimal(q),
		minimal(Buffer.alloc(bytes - 1, 0x77)),
	);
	const point = der(3, Buffer.alloc(1), minimal(Buffer.alloc(bytes - 1, 0x55)));
	const spki = der(0x30, der(0x30, hex('06072a8648ce380401'), params), point);
	const signature = der(0x30, minimal(Buffer.alloc(31, 0x55)), minimal(Buffer.alloc(31, 0x66)));
	return withKeys(count, spki, der(0x30, hex('0609608648016503040302')), signature);
}

/** Up to 3,072 bits OpenSSL takes an exponent as long as the modulus. */
function rsaWithLongExponent(count: number): string {
	const key = der(0x30, integer(Buffer.alloc(384, 0xff)), integer(Buffer.alloc(383, 0xff)));
	const spki = der(0x30, hex('300d06092a864886f70d0101010500'), der(3, Buffer.alloc(1), key));
	const algorithm = hex('300d06092a864886f70d01010b0500');
	return withKeys(count, spki, algorithm, Buffer.alloc(384, 0x11));
}

const RSA: Format = {
	settings: plain('separated', {
		payloadSignatureMethod: 'rsaSha256',
		payloadSignatureSeparator: '.',
	}),
	signed: () => '',
};

/** The longest that are taken. */
const BYTES = 1_024;

/** How long the process computes until all of it is done. */
async function cpuMsOf<T>(action: () => Promise<T>): Promise<{ result: T; ms: number }> {
	const before = busyMs();
	const result = await action();
	return { result, ms: busyMs() - before };
}

const askWith = async (personKeys: string) => {
	expect(personKeys.length).toBeLessThanOrEqual(100_000);
	return await cpuMsOf(
		async () =>
			await questions
				.ask({ options: { requireSignedPayload: true, personKeys } })
				.catch(() => undefined),
	);
};

it.each([
	['RSA of 15,200 bits', 18, 1_900],
	['RSA of 8,192 bits', 20, BYTES],
])(
	'1. certificates that may all have issued one another, %s: refused before anything is sent, soon',
	async (_what, count, bytes) => {
		await questions.use(RSA);
		const { result, ms } = await askWith(certificates(count, bytes, () => 'a'));
		expect(result).toBeUndefined();
		expect(questions.sandbox.messages()).toEqual([]);
		expect(ms).toBeLessThan(1_000);
	},
);

it.each([
	['DSA of 10,000 bits', dsaOf10000Bits(18)],
	['RSA of 3,072 bits with an exponent as long', rsaWithLongExponent(20)],
])(
	'1b. certificates that may all have issued one another, %s: no dearer than the longest keys that are taken',
	async (_what, personKeys) => {
		await questions.use(RSA);
		// What is done once in a process is no part of it.
		await askWith(certificates(2, BYTES, () => 'a'));
		const { ms: longestMs } = await askWith(certificates(20, BYTES, () => 'a'));
		const { result, ms } = await askWith(personKeys);
		expect(result).toBeUndefined();
		expect(ms).toBeLessThan(Math.max(200, 2 * longestMs));
	},
);

it('2. a call with 10 presses of a person with the costliest keys that are taken: read once, and n8n does not stand', async () => {
	await questions.use(RSA);
	const personKeys = certificates(20, BYTES, (index) => `phone ${index}`);
	const { result, ms: askedMs } = await askWith(personKeys);
	if (!result) throw new Error('The question was refused');
	const { messages, execution } = result;
	const text = `[${messages[0]?.messageId}]:approve.${Buffer.alloc(BYTES, 1).toString('base64')}`;
	const at = Date.now();
	const body = envelope(
		...Array.from({ length: 10 }, (_, index) =>
			entry({ message: { mid: `m${index}`, text } }, { ...PEOPLE[0], timestamp: at + index }),
		),
	);
	const { ms: pressesMs } = await cpuMsOf(async () => {
		// Refused answers of one person rest, so on a busy machine the reply may be that the call shall be repeated.
		const { status } = await postSigned(questions.trigger.url, body, SECRET);
		expect(status).toBe(200);
		await waitFor(
			'what becomes of all presses',
			30_000,
			() => questions.trigger.executions.flat().length >= 10 || undefined,
		);
	});
	expect(execution.continuations).toEqual([]);
	const tooLong = Object.entries({ askedMs, pressesMs }).filter(([, ms]) => ms > 1_000);
	expect(tooLong).toEqual([]);
}, 60_000);
