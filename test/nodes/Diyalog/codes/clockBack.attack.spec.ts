import { randomBytes } from 'node:crypto';
import { issueChallenge } from '../../../../nodes/Diyalog/codes/challenge';
import { deriveKeys } from '../../../../nodes/Diyalog/codes/keys';
import { verifyCode } from '../../../../nodes/Diyalog/codes/verify';
import { KnownMarks, MarkBook } from '../../../../nodes/Diyalog/memory/markBook';
import type { OpenBook } from '../../../../nodes/Diyalog/memory/markBook';
import { ProcessedDataTable } from '../../../support/processedDataTable';
import { processOn } from '../../../support/processes';

/* The machine began with a clock that runs ahead, and it is set right later: what was used meanwhile stays used. */

const keys = deriveKeys('bot-token');
const MINUTE_MS = 60_000;
const LIMITS = { attempts: 5, failures: { count: 10, windowMinutes: 60 } };
const CODE = '481516';

let nowMs = Date.UTC(2026, 10, 22, 12, 0, 0);
let sinceStartMs = 0;
const clock = () => nowMs;
const steady = () => sinceStartMs;

const pass = (ms: number) => {
	nowMs += ms;
	sinceStartMs += ms;
};

const issue = (customerNo = '70021'): string =>
	issueChallenge(
		keys,
		{ code: CODE, customerNo, messageId: 'm', transaction: [], expiresAtMs: nowMs + 5 * MINUTE_MS },
		randomBytes,
	);

const verify = async (book: OpenBook, challenge: string, code = CODE, customerNo = '70021') =>
	await verifyCode(keys, book, { challenge, code, customerNo, transaction: {} }, LIMITS, nowMs);

function memory(): OpenBook {
	const table = new ProcessedDataTable();
	return {
		...processOn(table, clock),
		book: new MarkBook(new KnownMarks(), clock, steady),
	};
}

/** Others verify meanwhile, so that what is over is forgotten. */
async function laterAndRight(book: OpenBook): Promise<void> {
	for (let index = 0; index < 10; index++) {
		pass(MINUTE_MS);
		const customerNo = `7003${index}`;
		await verify(book, issue(customerNo), CODE, customerNo);
	}
	nowMs -= 60 * MINUTE_MS;
}

it('1. a code that was accepted while the clock ran ahead is not accepted again', async () => {
	const book = memory();
	const challenge = issue();
	expect(await verify(book, challenge)).toMatchObject({ reason: 'ok' });
	await laterAndRight(book);
	expect((await verify(book, challenge)).valid).toBe(false);
});

it('2. attempts that were made while the clock ran ahead stay made', async () => {
	const book = memory();
	const challenge = issue();
	for (let guess = 0; guess < 5; guess++) await verify(book, challenge, `00000${guess}`);
	await laterAndRight(book);
	expect((await verify(book, challenge)).valid).toBe(false);
});
