import { randomBytes } from 'node:crypto';
import { DateTime } from 'luxon';
import { sleep } from 'n8n-workflow';
import type {
	ICredentialDataDecryptedObject,
	IDataObject,
	IExecuteFunctions,
	INode,
	INodeProperties,
} from 'n8n-workflow';
import { MAX_TRIES_OF_PRESS } from '../../deviceSignature/press';
import { createPayloadVerifier, signsWithSecret } from '../../deviceSignature/verifier';
import { check } from '../../input/problem';
import type { InputProblem } from '../../input/problem';
import type { Entered } from '../../input/shown';
import { MAX_READ_CHARACTERS, withCall } from '../../messages/shownCall';
import { DiyalogClient } from '../../transport/client';
import type { ClientOptions } from '../../transport/client';
import { LINK_ANSWER_PARAMETER } from '../../wait/confirmationPage';
import { codeDigest, n8nEndsAt } from '../../wait/decide';
import type { Expectation, Wait } from '../../wait/decide';
import { notDelivered } from '../../wait/outcome';
import { rememberReceiptId } from '../../wait/receiptIds';
import {
	readSignedResumeUrl,
	toMessageId,
	TURN_BYTES,
	TURN_PARAMETER,
} from '../../wait/resumeReference';
import { outputOf } from '../../wait/decisions';
import { payloadOfTurn } from '../../wait/evidence';
import { isGroupWait } from '../../wait/decideTogether';
import type { Person } from '../../wait/people';
import type { AskablePeople, EnteredPerson } from '../../wait/peopleInput';
import type { ResumeReference } from '../../wait/resumeReference';
import { waitSchema } from '../../wait/waitInput';
import type { PlannedResponse, WaitInput } from '../../wait/waitInput';
import { deadlineOf } from '../../wait/waitTime';
import { invalidInputError, operationError, requireValid } from '../errors';
import type { ItemOutcome, OperationRun } from '../operation';
import { rawParameter, readerWith, readFields } from '../parameters';
import type { ParameterReader } from '../parameters';
import { callToShow, endsWithCall, TOOL_PARAMETERS } from '../review';
import { checksByItem, sameCredential } from '../sameCredential';
import { deliver, personOf } from '../sending';
import type { Message } from '../sending';
import { readAskOptions } from '../sendOptions';
import type { Attempt, Settled, SettledItems } from '../settled';
import { isReviewTool } from '../agentCall';
import { itemOf, logEnded, planRecords, withAskedRecord } from './audited';
import { adviseWhileWaiting } from './advice';
import { endInTime } from './endInTime';
import { questionField } from './question.fields';
import { questionLimiter } from './questionLimits';
import {
	bindTo,
	requireWaitable,
	restoreInput,
	mayHaveAskedBefore,
	storedItems,
	storeWait,
	waitingFor,
} from './storedWait';
import { readAgain, SETTLES_WITHIN_MS } from './runAgain';
import type { QuestionAgain } from './runAgain';
import { askAll, waitAfterAnswers } from './several';
import { waitAfterWrongCode } from './wrongCode';

/* Asking: a message is sent, and the execution waits for the answer to it. */

const problemOf = (node: INode, field: string, problem: string, advice: string) =>
	invalidInputError(node, { field, problem, advice }, 0);

/** An execution waits as a whole, so one item waits for one person. */
function requireSingleItem(context: IExecuteFunctions): void {
	const node = context.getNode();
	const count = context.getInputData().length;
	if (count > 1) {
		throw operationError(
			node,
			`This node got ${count} items, and can wait for one`,
			'An execution waits as a whole. Put a Loop Over Items node with batch size 1 in front. Nothing was sent.',
		);
	}
}

/** The message. That of a review shows the call that it is about: who approves a call has to see all of it. */
function readMessage(context: IExecuteFunctions, read: ParameterReader): unknown {
	const entered = rawParameter(context, 'message');
	const text = typeof entered === 'string' ? entered : '';
	const readable = text.replace(TOOL_PARAMETERS, '{{ JSON.stringify($tool.parameters) }}');
	const given: unknown =
		readable === text || !text.startsWith('=')
			? read(questionField, 0)
			: context.evaluateExpression(readable.slice(1), 0);
	if (!isReviewTool(context.getNode())) return given;
	// An expression gives a number as such.
	const message = ['number', 'boolean'].includes(typeof given) ? String(given) : given;
	if (typeof message !== 'string' || message.trim() === '') return message;
	const call = callToShow(context);
	if (message.length + call.length > MAX_READ_CHARACTERS) {
		throw problemOf(
			context.getNode(),
			questionField.displayName,
			`is longer than ${MAX_READ_CHARACTERS} characters, together with the call below it`,
			'Nobody could read it. Tell the model in its system message to be brief.',
		);
	}
	return withCall(message, call, text, endsWithCall(text));
}

/** Gives parameters as they came; those that are not there, as in a human review tool, have their defaults. */
const readerOf = (context: IExecuteFunctions): ParameterReader => {
	const read: ParameterReader = ({ name, default: missing }, itemIndex) =>
		context.getNodeParameter(name, itemIndex, missing) ?? undefined;
	return readerWith(
		(parameter, itemIndex) =>
			parameter.name === questionField.name
				? readMessage(context, read)
				: read(parameter, itemIndex),
		(name) => rawParameter(context, name),
	);
};

/** Whether a signature of a person could be checked. */
function keysProblem(
	credential: ICredentialDataDecryptedObject,
	personKeys: unknown,
	buttons: number,
): InputProblem | string[] {
	const field = personKeys === undefined ? 'Require Signed Payload' : "Person's Keys";
	if (personKeys === undefined && credential.payloadSignatureKeys === 'person') {
		return {
			field,
			problem: 'is on, and the credential says that each person has keys of their own',
			advice: "Give them under Person's Keys.",
		};
	}
	if (personKeys !== undefined && signsWithSecret(credential)) {
		return {
			field,
			problem: 'would be secrets, which n8n would store with the execution',
			advice: 'Let the app sign with a key pair, or use the secret of the credential.',
		};
	}
	const verifier = createPayloadVerifier(credential, personKeys);
	if (!verifier.ok)
		return { field, problem: `cannot be used: ${verifier.title}`, advice: verifier.advice };
	const { keys } = verifier;
	const isAlone = credential.payloadSignature === 'signatureOnly';
	if (isAlone && keys.length * buttons > MAX_TRIES_OF_PRESS) {
		return {
			field,
			problem: `would have each answer tried with ${keys.length} keys for each of ${buttons} buttons`,
			advice: `Offer fewer choices or give fewer keys: with Signature Alone, keys times buttons can be ${MAX_TRIES_OF_PRESS}.`,
		};
	}
	return personKeys === undefined ? [] : keys.filter((key) => key !== null);
}

/** Whether an answer of this kind could be accepted at all with this credential. */
function credentialProblem(
	{ response, group }: WaitInput,
	credential: ICredentialDataDecryptedObject,
): InputProblem | undefined {
	if (response.kind === 'link') {
		return response.requireSignedPayload
			? {
					field: 'Require Signed Payload',
					problem: 'cannot be used with links',
					advice: 'Choose Tap in the Chat under Answer By, or turn the option off.',
				}
			: undefined;
	}
	if (String(credential.appSecret ?? '') === '') {
		return {
			field: 'App Secret of the credential',
			problem: 'is empty',
			advice:
				'Enter app_secret of the webhook in server.conf. Without it a forged answer would look like a real one.',
		};
	}
	if (response.kind !== 'button' || !response.requireSignedPayload) return undefined;
	if ((credential.payloadSignature ?? 'none') === 'none') {
		return {
			field: 'Require Signed Payload',
			problem: 'is on, but the credential does not say how to check signatures',
			advice:
				'Choose in the Diyalog API credential how payloads are signed, or turn the option off.',
		};
	}
	const keys = group?.people.map(({ personKeys }) => personKeys) ?? [response.personKeys];
	/** how many people have the key with a thumbprint */
	const having = new Map<string, number>();
	for (const personKeys of keys) {
		const found = keysProblem(credential, personKeys, response.buttons.length);
		if (!Array.isArray(found)) return found;
		for (const key of new Set(found)) having.set(key, (having.get(key) ?? 0) + 1);
	}
	const most = Math.max(0, ...having.values());
	if (most <= 1) return undefined;
	return {
		field: 'People',
		problem: `has the same key for ${most} people`,
		advice:
			'Give each person keys of their own: one signature would count for all who have the key.',
	};
}

const BY_ITEM = [
	'Require Signed Payload',
	'is on, and an expression in the credential looks at the item to say how signatures are checked',
	"The answer is checked without an item. Give the key under Person's Keys, and choose Each Person's Own in the credential.",
] as const;

function readDeadline(context: IExecuteFunctions, { limit }: WaitInput, now: Date): Date {
	const zone = context.getTimezone();
	const deadline = deadlineOf(limit, now, (text) => DateTime.fromISO(text, { zone }).toJSDate());
	if (deadline) return deadline;
	throw problemOf(
		context.getNode(),
		'Limit Wait Time',
		'is not a time within the next year',
		'Enter how long the person has for the answer, e.g. 5 minutes; a year at most.',
	);
}

/** n8n gives each node that is put in an id that fits; other programs that write workflows may not. */
const ID_FIELD = 'The ID of this node';
const NEW_ID =
	'Copy this node in the editor, paste it and delete the old one: it then gets an ID of n8n.';

/** The messageIds that find this execution again, one for each person, and the turn they belong to. */
function newReferences(
	context: IExecuteFunctions,
	{ messageIdPrefix: prefix, response }: WaitInput,
	appSecret: string,
	people: number,
): { turn: string; messageIds: string[] } {
	const node = context.getNode();
	const turn = randomBytes(TURN_BYTES).toString('base64url');
	const signedUrl = context.getSignedResumeUrl({ [TURN_PARAMETER]: turn });
	const found = readSignedResumeUrl(signedUrl, context.getExecutionId(), node.id);
	if (!found && /^[\w-]+$/.test(node.id)) {
		throw operationError(
			node,
			'This n8n signs resume addresses in an unknown way',
			'The answer could not find this execution again. Update this package, or report the version of n8n. Nothing was sent.',
		);
	}
	if (!found) throw problemOf(node, ID_FIELD, 'cannot stand in an address', NEW_ID);
	const reference: ResumeReference =
		response.kind === 'receipt' ? { ...found, waitsFor: 'receipt' } : found;
	const messageIds = Array.from({ length: people }, (_, number) =>
		toMessageId({ ...reference, number }, prefix, appSecret),
	).flatMap((messageId) => messageId ?? []);
	if (messageIds.length === people) return { turn, messageIds };
	if (toMessageId(reference, '', appSecret) === undefined) {
		throw problemOf(node, ID_FIELD, 'is too long for a messageId', NEW_ID);
	}
	throw problemOf(
		node,
		'Message ID Prefix',
		'is too long',
		'Shorten it. With a node ID that n8n gave, it can have 21 characters.',
	);
}

/** With Require Signed Payload each payload names the turn, so that a signature over the payload alone fits no other question. */
function ofTurn(response: PlannedResponse, turn: string): PlannedResponse {
	if (response.kind !== 'button' || !response.requireSignedPayload) return response;
	const buttons = response.buttons.map((button) => ({
		...button,
		payload: payloadOfTurn(button.payload, turn),
	}));
	return { ...response, buttons };
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
	if (response.kind === 'button') {
		const { kind, buttons, requireSignedPayload } = response;
		return { kind, buttons, requireSignedPayload };
	}
	if (response.kind !== 'code') return response;
	const { kind, expectedCode, maxAttempts, wrongCodeReply } = response;
	const digest = codeDigest(expectedCode, turn, appSecret);
	return { kind, codeDigest: digest, maxAttempts, wrongCodeReply };
}

/** Whether a message whose delivery decides certainly reaches nobody, because Diyalog does not know the person. */
const isUnreachable = ({ expectation }: Wait, sent: Settled): boolean =>
	expectation.kind === 'receipt' && 'failure' in sent && sent.failure.kind === 'unknownCustomer';

function cannotReach(context: IExecuteFunctions, wait: Wait, input: IDataObject): ItemOutcome {
	const ending = notDelivered('unknownPerson');
	const at = new Date().toISOString();
	logEnded(context, wait, ending, at);
	return { result: itemOf(wait, ending, input, at), output: outputOf(ending.decision) };
}

/** What is sent, and what is waited for. */
interface Question {
	/** one for each person */
	messages: [Message, ...Message[]];
	wait: Wait;
	options: ClientOptions;
}

/** Makes the message of a question: what was entered, with its messageId and buttons in place of fields of that name. */
export type ToMessage = (entered: Entered, itemIndex: number) => Message;

/** What an operation asks with. */
export interface KindOfQuestion {
	/** of the operation */
	fields: readonly INodeProperties[];
	/** how many of them this kind of message can show in the chat */
	maxChoices: number;
	/** whom it reaches */
	askable: AskablePeople;
}

/** One of several people, as the item says it. */
const personFor = ({ recipient, messageTo, messageId }: Message): Person => ({
	recipient:
		recipient.customerNo ??
		recipient.employeeNo ??
		(messageTo && 'id' in messageTo ? messageTo.id : ''),
	...recipient,
	messageTo,
	messageId,
});

/** What is kept for checking a signature, and for proving the answer later. */
function keptOf(
	response: PlannedResponse,
	text: string | undefined,
): Pick<Wait, 'personKeys' | 'evidenceText'> {
	if (response.kind !== 'button' || !response.requireSignedPayload) return {};
	const { personKeys, leavesTextOut } = response;
	return { personKeys, evidenceText: leavesTextOut ? undefined : text };
}

/** Reads and checks what was entered; nothing has been sent when it throws. */
function prepare(
	context: IExecuteFunctions,
	credential: ICredentialDataDecryptedObject,
	{ fields, maxChoices, askable }: KindOfQuestion,
	toMessage: ToMessage,
	now: Date,
): Question {
	const node = context.getNode();
	const read = readerOf(context);
	const entered = readFields(read, fields, 0);
	const input = requireValid(node, check(waitSchema(maxChoices, askable), entered, fields), 0);
	const { group, replies, messageIdPrefix } = input;
	const problem = credentialProblem(input, credential);
	if (problem) throw invalidInputError(node, problem, 0);
	const deadline = readDeadline(context, input, now);
	const appSecret = String(credential.appSecret ?? '');
	const people: ReadonlyArray<EnteredPerson | object> = group?.people ?? [{}];
	const { turn, messageIds } = newReferences(context, input, appSecret, people.length);
	const response = ofTurn(input.response, turn);
	const buttons = { button: buttonsOf(context, response, turn) };
	const limited = questionLimiter(context, credential, input.questionLimits);
	const messages = people.map((person, index) => {
		const options = { ...Object(entered.options), messageId: messageIds[index] };
		return limited(toMessage({ ...entered, ...person, options, buttons }, 0));
	});
	const [first, ...others] = messages;
	if (!first) throw problemOf(node, 'People', 'are none', 'Add people.');
	const { messageId } = first;
	const asked = group
		? { customerNo: null }
		: { ...first.recipient, messageTo: first.messageTo, ...first.added?.(now) };
	const wait: Wait = {
		turn,
		executionId: context.getExecutionId(),
		...asked,
		messageId,
		messageIdPrefix,
		sentAt: now.toISOString(),
		deadline: deadline.toISOString(),
		expectation: expectationOf(response, turn, appSecret),
		wrongCodes: 0,
		...replies,
		...keptOf(response, first.text),
		...planRecords(context, credential, entered, messages),
		...(group && {
			group: {
				rule: group.rule,
				people: messages.map((message, index) => ({
					...personFor(message),
					personKeys: group.people[index]?.personKeys,
				})),
				answers: [],
			},
		}),
	};
	return { messages: [first, ...others], wait, options: readAskOptions(read, group !== undefined) };
}

/** Waits on after an answer that does not decide yet. */
async function waitAgain(context: IExecuteFunctions, again: QuestionAgain): Promise<ItemOutcome> {
	const { wait } = again;
	return isGroupWait(wait)
		? await waitAfterAnswers(context, wait, again)
		: await waitAfterWrongCode(context, again);
}

/** Asks one person, or all of them. */
async function askThem(
	client: DiyalogClient,
	{ messages, wait, options }: Question,
	attempts: readonly [Attempt, ...Attempt[]],
	now: Date,
): Promise<{ wait: Wait } | Settled> {
	if (isGroupWait(wait)) return await askAll(client, attempts, wait, messages, options, now);
	const [message] = messages;
	const [attempt] = attempts;
	const sent = attempt.before ?? (await deliver(client, message, options, attempt, now));
	if (!('result' in sent)) return sent;
	const { userId, diyalogMessageId, sentAt } = sent.result;
	if (wait.expectation.kind === 'receipt')
		rememberReceiptId(String(diyalogMessageId), wait.messageId);
	return { wait: { ...wait, userId: String(userId), sentAt: String(sentAt ?? wait.sentAt) } };
}

/**
 * Begins to ask one question, or to wait on after an answer.
 *
 * @param toMessageWith gives what makes the question's message
 */
export async function startAsking(
	context: IExecuteFunctions,
	settled: SettledItems,
	kind: KindOfQuestion,
	toMessageWith: (client: DiyalogClient) => ToMessage,
): Promise<OperationRun> {
	requireWaitable(context);
	requireSingleItem(context);
	const again = readAgain(context);
	if (again) {
		return { concurrency: () => 1, execute: async () => await waitAgain(context, again) };
	}
	restoreInput(context);
	const client = await DiyalogClient.create(context);
	const requireSame = await sameCredential(context, client.credentials);
	const toMessage = toMessageWith(client);

	const execute = async (itemIndex: number): Promise<ItemOutcome> => {
		await requireSame?.(itemIndex);
		const now = new Date();
		const question = prepare(context, client.credentials, kind, toMessage, now);
		const { expectation } = question.wait;
		const isSigned = expectation.kind === 'button' && expectation.requireSignedPayload;
		if (isSigned && (await checksByItem(context))) throw problemOf(context.getNode(), ...BY_ITEM);
		// What may have arrived is remembered by what went in, in the place of which something else is stored below.
		const [first, ...others] = question.messages;
		const attemptOf = (message: Message) => settled.attempt(itemIndex, personOf(message));
		const attempts = [attemptOf(first), ...others.map(attemptOf)] as const;
		const input = storedItems(context)[itemIndex]?.json ?? {};
		// Before it is sent: from then on people can answer, and what n8n passes on must be no approval.
		const hasAskedBefore = mayHaveAskedBefore(context);
		const takeBack = storeWait(context, question.wait, input);
		let bound: Wait | undefined;
		try {
			const isKnown = attempts.every(({ before }) => before !== undefined);
			const asked = await withAskedRecord(context, question.wait, isKnown, async () =>
				askThem(client, question, attempts, now),
			);
			if (!('wait' in asked))
				return isUnreachable(question.wait, asked)
					? cannotReach(context, question.wait, input)
					: asked;
			bound = asked.wait;
			bindTo(context, bound, input);
		} finally {
			if (!bound) takeBack();
		}
		if (hasAskedBefore) await sleep(SETTLES_WITHIN_MS);
		await context.putExecutionToWait(n8nEndsAt(bound));
		endInTime(context, bound);
		adviseWhileWaiting(context, client.credentials, bound);
		return waitingFor(bound, input);
	};
	return { concurrency: () => 1, execute };
}
