import type { IDataObject, IExecuteFunctions, INodeProperties } from 'n8n-workflow';
import { z } from 'zod/v4';
import { workflowBook } from '../../memory/books';
import { problemOf } from '../../messages/sendOtp';
import { verifyCode } from '../../codes/verify';
import type { VerifyLimits } from '../../codes/verify';
import { between } from '../../codes/settings';
import { invalidInputError } from '../errors';
import { readOtpKeys } from './otpKeys';
import { SentMemory } from '../settled';
import type { Operation, OperationRun } from '../operation';
import { parameterReader } from '../parameters';
import { customerNoField } from '../fields';
import { transactionField } from './code.fields';

const DEFAULT_ATTEMPTS = 5;
const MAX_ATTEMPTS = 10;
const DEFAULT_FAILURES = 10;
/** NIST SP 800-63B-4, 3.2.2. */
const MAX_FAILURES = 100;
const DEFAULT_FAILURE_WINDOW_MINUTES = 60;
const MIN_FAILURE_WINDOW_MINUTES = 10;
const MAX_FAILURE_WINDOW_MINUTES = 1_440;

const fields: INodeProperties[] = [
	{
		displayName: 'Challenge',
		name: 'challenge',
		type: 'string',
		required: true,
		default: '',
		placeholder: 'e.g. {{ $json.body.challenge }}',
		description: 'What the operation Send put out as challenge',
	},
	{
		displayName: 'Code',
		name: 'code',
		type: 'string',
		required: true,
		default: '',
		placeholder: 'e.g. {{ $json.body.code }}',
		description:
			'What the customer typed. Small letters, blanks, dashes, dots and underscores do not matter.',
	},
	{ ...customerNoField, description: 'The customer who has to have got the code' },
	{
		...transactionField,
		description:
			'What is about to be carried out. It has to be the same as when the code was sent, so take it from your own system.',
	},
	{
		displayName: 'Limits',
		name: 'limits',
		type: 'collection',
		placeholder: 'Add Limit',
		default: {},
		options: [
			{
				displayName: 'Attempts per Challenge',
				name: 'attempts',
				type: 'number',
				typeOptions: { minValue: 1, maxValue: MAX_ATTEMPTS },
				default: DEFAULT_ATTEMPTS,
				description: 'How many codes can be tried with one challenge, the right one included',
			},
			{
				displayName: 'Failure Window (Minutes)',
				name: 'failureWindowMinutes',
				type: 'number',
				typeOptions: {
					minValue: MIN_FAILURE_WINDOW_MINUTES,
					maxValue: MAX_FAILURE_WINDOW_MINUTES,
				},
				default: DEFAULT_FAILURE_WINDOW_MINUTES,
				description: 'For how long failures of a customer count',
			},
			{
				displayName: 'Failures per Customer',
				name: 'failures',
				type: 'number',
				typeOptions: { minValue: 1, maxValue: MAX_FAILURES },
				default: DEFAULT_FAILURES,
				description:
					'How often one customer can fail within the window. A new code changes nothing.',
			},
		],
	},
];

const LABELS: Readonly<Record<string, string>> = {
	attempts: 'Attempts per Challenge',
	failures: 'Failures per Customer',
	failureWindowMinutes: 'Failure Window (Minutes)',
};

const limitsSchema = z
	.object({
		attempts: between(1, MAX_ATTEMPTS, DEFAULT_ATTEMPTS),
		failures: between(1, MAX_FAILURES, DEFAULT_FAILURES),
		failureWindowMinutes: between(
			MIN_FAILURE_WINDOW_MINUTES,
			MAX_FAILURE_WINDOW_MINUTES,
			DEFAULT_FAILURE_WINDOW_MINUTES,
		),
	})
	.transform(
		({ attempts, failures, failureWindowMinutes }): VerifyLimits => ({
			attempts,
			failures: { count: failures, windowMinutes: failureWindowMinutes },
		}),
	);

function readLimits(context: IExecuteFunctions, itemIndex: number, raw: unknown): VerifyLimits {
	const parsed = limitsSchema.safeParse(raw);
	if (parsed.success) return parsed.data;
	const { problem, advice } = problemOf(parsed.error);
	const field = LABELS[String(parsed.error.issues[0]?.path.at(-1))] ?? 'Limits';
	throw invalidInputError(context.getNode(), { field, problem, advice }, itemIndex);
}

/** Items wait for the same few writings to the memory. */
const CONCURRENCY = 100;

async function start(context: IExecuteFunctions): Promise<OperationRun> {
	const keys = await readOtpKeys(context);
	const book = workflowBook(context);
	const settledBefore = SentMemory.of(context);
	const parameter = parameterReader(context);

	const verifyItem = async (itemIndex: number): Promise<IDataObject> => {
		const limits = readLimits(context, itemIndex, parameter('limits', itemIndex));
		const given = {
			challenge: parameter('challenge', itemIndex),
			code: parameter('code', itemIndex),
			customerNo: parameter('customerNo', itemIndex),
			transaction: parameter('transaction', itemIndex),
		};
		return { ...(await verifyCode(keys, book, given, limits, Date.now())) };
	};

	// A code that was accepted would be "used" when Retry On Fail runs the node again for another item's sake.
	const execute = async (itemIndex: number): Promise<IDataObject> => {
		const before = settledBefore.get(itemIndex);
		if (before && 'result' in before) return before.result;
		const result = await verifyItem(itemIndex);
		settledBefore.set(itemIndex, { result });
		return result;
	};
	return { concurrency: CONCURRENCY, execute };
}

/** Verifies a code that the operation Send has sent. A code that is not right is an answer, not an error. */
export const verify: Operation = {
	name: 'Verify',
	value: 'verify',
	action: 'Verify an OTP',
	description: 'Check a code that a customer typed, once and for the customer it was sent to',
	fields,
	start,
};
