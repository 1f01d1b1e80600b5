import type { INodeProperties } from 'n8n-workflow';
import { lazily, z } from '../../lib/zod';
import { workflowBook } from '../../memory/books';
import { check } from '../../input/problem';
import { wholeNumber } from '../../input/schemas';
import { adviceOn } from '../../codes/advice';
import { verifyCode } from '../../codes/verify';
import type { VerifyLimits } from '../../codes/verify';
import { CREDENTIAL_TYPE } from '../../transport/client';
import { auditOption, unlessItThrows, withVerifyRecord } from '../audit';
import { requireValid } from '../errors';
import type { Operation } from '../operation';
import { parameterReader, readFields } from '../parameters';
import { customerNoField } from '../fields';
import { hintsOf } from '../hints';
import { sameCredential } from '../sameCredential';
import { optionsField } from '../sendOptions';
import { transactionField } from './code.fields';
import { codeKeysOf } from './codeKeys';

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
		description: 'The challenge in the output item of the operation Send',
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
	{
		...customerNoField,
		description: 'The customer who got the code. This is the person who logs in or pays.',
	},
	{
		...transactionField,
		description:
			'What you are about to carry out. It has to be the same as when the code was sent. Take it from your own system.',
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
				description: 'How many codes can be tried with one challenge. The right code counts too.',
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
	optionsField([auditOption]),
];

const limitsSchema = lazily(() =>
	z
		.object({
			attempts: wholeNumber(1, MAX_ATTEMPTS, DEFAULT_ATTEMPTS),
			failures: wholeNumber(1, MAX_FAILURES, DEFAULT_FAILURES),
			failureWindowMinutes: wholeNumber(
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
		),
);

const settingsSchema = lazily(() => z.object({ limits: limitsSchema() }));

/** Items wait for the same few writings to the memory. */
const CONCURRENCY = 100;

/** Verifies a code that the operation Send has sent. A code that is not right is an answer, not an error. */
export const verify: Operation = {
	name: 'Verify',
	value: 'verify',
	action: 'Verify an OTP',
	description:
		'Check a code that a customer typed. It counts once, and only for the customer who got it.',
	fields,
	branches: ['Valid', 'Invalid'],
	async start(context) {
		const node = context.getNode();
		const credential = await context.getCredentials(CREDENTIAL_TYPE);
		const requireSame = await sameCredential(context, credential);
		const keys = codeKeysOf(node, credential);
		const book = workflowBook(context);
		const read = parameterReader(context);
		const hint = hintsOf(context);
		return {
			concurrency: () => CONCURRENCY,
			async execute(itemIndex) {
				await requireSame?.(itemIndex);
				const entered = readFields(read, fields, itemIndex);
				const { limits } = requireValid(node, check(settingsSchema(), entered, fields), itemIndex);
				const { challenge, code, customerNo, transaction } = entered;
				const given = { challenge, code, customerNo, transaction };
				const verified = async () => await verifyCode(keys, book, given, limits, Date.now());
				const result = await withVerifyRecord(context, credential, entered, verified);
				// The code is used by now: advice must not turn that into an error.
				hint(unlessItThrows(() => adviceOn(keys, given, result.reason)));
				return { result: { ...result }, output: result.valid ? 0 : 1 };
			},
		};
	},
};
