import { randomBytes } from 'node:crypto';
import { DateTime } from 'luxon';
import { NodeOperationError, SEND_AND_WAIT_OPERATION } from 'n8n-workflow';
import type {
	ICredentialDataDecryptedObject,
	IDataObject,
	IExecuteFunctions,
	INode,
} from 'n8n-workflow';
import { checkSendOtpInput, toSendOtpBody } from '../../messages/sendOtp';
import type { InputProblem, SendOtpBody } from '../../messages/sendOtp';
import { createPayloadVerifier } from '../../deviceSignature/verifier';
import { DiyalogClient } from '../../transport/client';
import { asNodeError, failureError, invalidInputError } from '../errors';
import { readSendOptions } from '../sendOptions';
import { SentMemory } from '../settled';
import { codeDigest, GRACE_MS } from '../../wait/decide';
import type { Expectation, Wait } from '../../wait/decide';
import { EXPIRED, outcomeOf } from '../../wait/outcome';
import {
	readSignedResumeUrl,
	toMessageId,
	TURN_BYTES,
	TURN_PARAMETER,
} from '../../wait/resumeReference';
import { checkWaitInput } from '../../wait/waitInput';
import type { PlannedResponse, WaitInput } from '../../wait/waitInput';
import { deadlineOf } from '../../wait/waitTime';
import type { Operation, OperationRun } from '../operation';
import type { ParameterReader } from '../parameters';
import { OtpIssuer, prepareItemOtp } from './otpIssuer';
import type { PreparedItemOtp } from './otpIssuer';
import { sendAndWaitFields } from './sendAndWait.fields';
import { requireWaitable, restoreInput, storeWait } from '../question/storedWait';
import { readWrongCode, waitAgain } from '../question/wrongCode';

/** Parameter of a link that says which button it is; n8n signs it with the rest of the address. */
export const LINK_ANSWER_PARAMETER = 'answer';

const refused = (node: INode, field: string, problem: string, advice: string) =>
	invalidInputError(node, { field, problem, advice }, 0);

/** An execution waits as a whole, so one item waits for one customer. */
function requireSingleItem(context: IExecuteFunctions): void {
	const count = context.getInputData().length;
	if (count <= 1) return;
	throw new NodeOperationError(
		context.getNode(),
		`This node got ${count} items, and can wait for one`,
		{
			description:
				'An execution waits as a whole. Put a Loop Over Items node with batch size 1 in front. Nothing was sent.',
		},
	);
}

/** Gives parameters as they came; those that are not shown are undefined. */
const readerOf =
	(context: IExecuteFunctions): ParameterReader =>
	(name, itemIndex) =>
		context.getNodeParameter(name, itemIndex, null) ?? undefined;

/** As n8n proposes it for a human review tool: an object, which is no text. */
const TOOL_PARAMETERS = /\{\{\s*\$tool\.parameters\s*\}\}/g;

/** The message, in which the parameters of an agent's tool stand as JSON: who approves a call has to see them. */
function readMessage(context: IExecuteFunctions, read: ParameterReader): unknown {
	const entered = context.getNodeParameter('message', 0, '', { rawExpressions: true });
	if (typeof entered !== 'string' || !entered.startsWith('=')) return read('message', 0);
	const readable = entered.replace(TOOL_PARAMETERS, '{{ JSON.stringify($tool.parameters) }}');
	return readable === entered
		? read('message', 0)
		: context.evaluateExpression(readable.slice(1), 0);
}

/** What was entered, as it came. */
function readParameters(context: IExecuteFunctions, read: ParameterReader) {
	const parameter = (name: string): unknown => read(name, 0);
	return {
		message: {
			customerNo: parameter('customerNo'),
			message: readMessage(context, read),
			otpValue: parameter('otpMode') === 'given' ? parameter('otpValue') : undefined,
			additionalFields: parameter('additionalFields'),
		},
		response: {
			responseType: parameter('responseType'),
			answerBy: parameter('answerBy'),
			approvalOptions: parameter('approvalOptions'),
			choices: parameter('choices'),
			expectedCode: parameter('expectedCode'),
		},
		options: parameter('options'),
	};
}

function readWaitInput(context: IExecuteFunctions, response: unknown, options: unknown): WaitInput {
	const checked = checkWaitInput(response, options);
	if (!checked.valid) throw invalidInputError(context.getNode(), checked.problem, 0);
	return checked.input;
}

/** Whether an answer of this kind could be accepted at all with this credential. */
function credentialProblem(
	response: PlannedResponse,
	credential: ICredentialDataDecryptedObject,
): InputProblem | undefined {
	if (response.kind === 'link') {
		return response.requireSignedPayload
			? {
					field: 'Require Signed Payload',
					problem: 'cannot be met by links',
					advice: 'Choose Tap in the Chat under Answer By, or turn the option off.',
				}
			: undefined;
	}
	if (String(credential.appSecret ?? '') === '') {
		return {
			field: 'App Secret of the credential',
			problem: 'is empty',
			advice:
				'Enter the app_secret of the webhook in server.conf. Without it no answer could be told from a forged one.',
		};
	}
	if (response.kind !== 'button' || !response.requireSignedPayload) return undefined;
	const verifier = createPayloadVerifier(credential);
	if (verifier.ok && (credential.payloadSignature ?? 'none') !== 'none') return undefined;
	return {
		field: 'Require Signed Payload',
		problem: 'is on, but the credential does not say how to check signatures',
		advice: verifier.ok
			? 'Choose in the Diyalog API credential how payloads are signed, or turn the option off.'
			: verifier.advice,
	};
}

function readDeadline(context: IExecuteFunctions, { limit }: WaitInput, now: Date): Date {
	const zone = context.getTimezone();
	const deadline = deadlineOf(limit, now, (text) => DateTime.fromISO(text, { zone }).toJSDate());
	if (deadline) return deadline;
	throw refused(
		context.getNode(),
		'Limit Wait Time',
		'is not a time within the next year',
		'Enter how long the customer has for the answer, e.g. 5 minutes.',
	);
}

/** n8n gives each node that is put in an id that fits; other programs that write workflows may not. */
const ID_FIELD = 'The ID of this node';
const NEW_ID =
	'Copy this node in the editor, paste it and delete the old one: it then gets an ID of n8n.';

/** The messageId that finds this execution again, and the turn it belongs to. */
function newReference(context: IExecuteFunctions, prefix: string, appSecret: string) {
	const node = context.getNode();
	const turn = randomBytes(TURN_BYTES).toString('base64url');
	const signedUrl = context.getSignedResumeUrl({ [TURN_PARAMETER]: turn });
	const reference = readSignedResumeUrl(signedUrl, context.getExecutionId(), node.id);
	if (!reference && /^[\w-]+$/.test(node.id)) {
		throw new NodeOperationError(node, 'This n8n signs resume addresses in an unknown way', {
			description:
				'The answer could not find this execution again. Update this package, or report the version of n8n. Nothing was sent.',
		});
	}
	if (!reference) throw refused(node, ID_FIELD, 'cannot stand in an address', NEW_ID);
	const messageId = toMessageId(reference, prefix, appSecret);
	if (messageId !== undefined) return { turn, messageId };
	if (toMessageId(reference, '', appSecret) === undefined) {
		throw refused(node, ID_FIELD, 'is too long for a messageId', NEW_ID);
	}
	throw refused(
		node,
		'Message ID Prefix',
		'is too long',
		'Shorten it: prefix and reference together have at most 128 characters.',
	);
}

/** The buttons of the message, as the node's own parameters would have given them. */
function buttonsOf(context: IExecuteFunctions, response: PlannedResponse, turn: string): unknown[] {
	if (response.kind === 'button') {
		return response.buttons.map(({ payload, title }) => ({
			type: 'postback',
			title,
			payload,
			payloadHidden: response.requireSignedPayload,
			payloadSeenByUser: title,
		}));
	}
	if (response.kind !== 'link') return [];
	return response.buttons.map(({ payload, title }) => ({
		type: 'web_url',
		title,
		payload: context.getSignedResumeUrl({
			[TURN_PARAMETER]: turn,
			[LINK_ANSWER_PARAMETER]: payload,
		}),
	}));
}

function expectationOf(response: PlannedResponse, turn: string, appSecret: string): Expectation {
	if (response.kind !== 'code') return response;
	const { kind, expectedCode, maxAttempts, wrongCodeReply } = response;
	const digest = codeDigest(expectedCode, turn, appSecret);
	return { kind, codeDigest: digest, maxAttempts, wrongCodeReply };
}

/** What is sent, and what is waited for. */
interface PreparedQuestion {
	body: SendOtpBody;
	/** the code in it, if there is one */
	otp: PreparedItemOtp;
	wait: Wait;
	deadline: Date;
}

/** Reads and checks what was entered; nothing has been sent when it throws. */
function prepare(
	context: IExecuteFunctions,
	credential: ICredentialDataDecryptedObject,
	now: Date,
): PreparedQuestion {
	const node = context.getNode();
	const read = readerOf(context);
	const { message, response: rawResponse, options } = readParameters(context, read);
	const input = readWaitInput(context, rawResponse, options);
	const { response, messageIdPrefix } = input;
	const problem = credentialProblem(response, credential);
	if (problem) throw invalidInputError(node, problem, 0);
	const deadline = readDeadline(context, input, now);
	const appSecret = String(credential.appSecret ?? '');
	const { turn, messageId } = newReference(context, messageIdPrefix, appSecret);
	const button = buttonsOf(context, response, turn);
	const checked = checkSendOtpInput({ ...message, messageId, buttons: { button } });
	if (!checked.valid) throw invalidInputError(node, checked.problem, 0);
	const otp = prepareItemOtp(context, read, 0, checked.input);
	const prepared = { ...checked.input, message: otp.message, otpValue: otp.code };
	const body = toSendOtpBody(prepared, () => messageId);
	const wait: Wait = {
		turn,
		executionId: context.getExecutionId(),
		customerNo: body.customerNo,
		messageId,
		messageIdPrefix,
		sentAt: now.toISOString(),
		deadline: deadline.toISOString(),
		expectation: expectationOf(response, turn, appSecret),
		wrongCodes: 0,
	};
	return { body, otp, wait, deadline };
}

async function start(context: IExecuteFunctions): Promise<OperationRun> {
	requireWaitable(context);
	requireSingleItem(context);
	const again = readWrongCode(context);
	if (again) return { concurrency: 1, execute: async () => await waitAgain(context, again) };
	restoreInput(context);
	const client = await DiyalogClient.create(context, readSendOptions(context));
	const issuer = new OtpIssuer(context, () => client.otpKeys());
	const memory = SentMemory.ofSends(context);

	const execute = async (itemIndex: number): Promise<IDataObject> => {
		const node = context.getNode();
		const now = new Date();
		const { body, otp, wait, deadline } = prepare(context, client.credentials, now);
		const earlier = memory.get(itemIndex) ?? memory.uncertainBefore(itemIndex, body.customerNo);
		if (earlier && 'failure' in earlier) throw failureError(node, earlier.failure, itemIndex);
		const waiting = { ...wait, ...issuer.challengeFor(otp, body, now) };
		const input = context.getInputData()[itemIndex]?.json ?? {};
		// Before it is sent: from then on the customer can answer, and what n8n passes on must be no approval.
		const takeBack = storeWait(context, waiting, input);
		try {
			const giveBack = await issuer.permit(otp, body.customerNo, now, itemIndex);
			const outcome = await client.sendOtp(body);
			if (!outcome.accepted) {
				// What may have arrived is remembered by what went in.
				takeBack();
				// When that fails too, the code counts as sent: the failure to send is the news.
				if (!outcome.failure.uncertain) await giveBack().catch(() => undefined);
				if (outcome.failure.uncertain) memory.setUncertain(itemIndex, body.customerNo, outcome);
				if (outcome.failure.uncertain) memory.set(itemIndex, outcome);
				throw failureError(node, outcome.failure, itemIndex);
			}
		} catch (error) {
			takeBack();
			throw asNodeError(node, error, itemIndex);
		}
		await context.putExecutionToWait(new Date(deadline.getTime() + GRACE_MS));
		return outcomeOf(waiting, EXPIRED, input);
	};
	return { concurrency: 1, execute };
}

/** Sends a message, waits without using anything, and continues with the customer's answer. */
export const sendAndWait: Operation = {
	name: 'Send and Wait for Response',
	value: SEND_AND_WAIT_OPERATION,
	action: 'Send an OTP and wait for response',
	description:
		'Send a message to a customer and continue with the answer: approval, choice, text or code',
	fields: sendAndWaitFields,
	decides: true,
	start,
};
