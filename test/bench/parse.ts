import { createHmac, timingSafeEqual } from 'node:crypto';
import { parseWebhook } from '../../nodes/Diyalog/events/parseWebhook';
import { verifySignature } from '../../nodes/Diyalog/events/signature';
import { hmacSha1 } from '../support/sign';
import { print } from '../../tools/system';
import { entry, envelope, written } from '../support/webhookBodies';
import type { BenchOptions, Row } from './benchmark';

const SECRET = 'benchmark';
const MEASURE_MS = 3_000;
const QUICK_MS = 500;

/** What nobody can do without: the HMAC compared, the JSON parsed. */
function bareMinimum(body: Buffer, signature: string): unknown {
	const expected = createHmac('sha1', SECRET).update(body).digest();
	if (!timingSafeEqual(expected, Buffer.from(signature, 'hex'))) throw new Error('Wrong signature');
	return JSON.parse(body.toString('utf8'));
}

/** What the trigger does: the same, and every event checked and typed. */
function verifyAndParse(body: Buffer, signature: string): unknown {
	if (verifySignature(body, signature, [SECRET]) !== 'valid') throw new Error('Wrong signature');
	return parseWebhook(body);
}

function batchOfTen(): Buffer {
	const presses = Array.from({ length: 4 }, (_, index) => written(`[transfer-${index}]:approve`));
	const others = [
		{ messageEcho: { app_id: 1614379680, is_echo: true, mid: 'transfer-17' } },
		{ delivery: { mids: ['transfer-16', 'transfer-17'], watermark: Date.now() } },
		{ reads: { mids: ['transfer-17'], watermark: Date.now() } },
	];
	const entries = [...others, ...others].map((event) => entry(event));
	return Buffer.from(envelope(...presses, ...entries));
}

/** Compares verifying, parsing and typing a batch of 10 events with JSON.parse and the HMAC alone. */
export async function benchParse({ quick }: Pick<BenchOptions, 'quick'>): Promise<Row[]> {
	const { Bench } = await import('tinybench');
	const body = batchOfTen();
	const signature = hmacSha1(body, SECRET);
	const time = quick ? QUICK_MS : MEASURE_MS;
	const bench = new Bench({ time });
	bench.add('JSON.parse + HMAC-SHA1', () => void bareMinimum(body, signature));
	bench.add('verify + parse + type', () => void verifyAndParse(body, signature));
	await bench.run();
	const medians = bench.tasks.map(({ name, result }) => {
		if (result.state !== 'completed') throw new Error(`${name} did not complete`);
		return { name, medianUs: result.latency.p50 * 1_000 };
	});
	const [base = 0, ours = 0] = medians.map(({ medianUs }) => medianUs);
	print(`One batch of 10 events, ${body.length} bytes, median of ${time / 1_000} s each`);
	for (const { name, medianUs } of medians) {
		print(
			`  ${name.padEnd(24)} ${medianUs.toFixed(1).padStart(7)} us  ${(medianUs / base).toFixed(2)}x`,
		);
	}
	const what = 'Reading a batch of events against JSON.parse and the HMAC alone';
	return [{ what, measured: `${(ours / base).toFixed(2)}x`, target: '' }];
}
