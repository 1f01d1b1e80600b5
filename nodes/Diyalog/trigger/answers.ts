import { sleep } from 'n8n-workflow';
import type { IWebhookFunctions } from 'n8n-workflow';
import type { ButtonPressed, DiyalogEvent, MessageReceipt, TextReceived } from '../events/events';
import { isKnownMessage } from '../messages/knownMessages';
import { MAX_TOGETHER, passOn } from '../wait/passedOnAnswer';
import type { Answer, PassedOnAnswer } from '../wait/passedOnAnswer';
import { senderIdOf } from '../wait/receiptIds';
import { readReplies } from '../wait/replies';
import {
	fromMessageId,
	looksLikeReference,
	mayWaitForReceipt,
	resumeUrlOf,
} from '../wait/resumeReference';
import type { ResumeReference } from '../wait/resumeReference';
import { unseal } from '../wait/sealed';
import { AnswerQueue, isOpen, lost, refusal } from './answerQueue';
import type { AnswerOutcome } from './answerQueue';
import { keep, passOnKept, storeKept } from './keptAnswers';
import type { GenuineAnswer } from './keptAnswers';
import { sayRarely } from './refusals';
import { answeredBy, tell } from './replies';
import { postAnswers, waitingBaseOf } from './selfCall';
import type { TriggerSecrets, TriggerSettings } from './settings';

/*
 * Answers to messages that an execution waits for are passed on to it, and so are receipts where it waits for those. The messageId says which one; the address is that
 * of this instance, whatever anybody sends.
 */

const queue = new AnswerQueue<PassedOnAnswer>(
	{
		atOnce: 4,
		together: MAX_TOGETHER,
		// n8n may take calls of 1 MB only, and a character become 7 bytes: a long text goes alone, so that it costs nobody else.
		charactersTogether: 100_000,
		maxInChain: 100,
		maxInQuestion: 5_000,
		maxInAll: 20_000,
		// The first of several people may answer while the last are still being asked.
		retryRunningForMs: 60_000,
		retryUnsureForMs: 60_000,
	},
	{ now: () => performance.now(), sleep },
);

/** Events that an execution may wait for. */
type AnsweringEvent = ButtonPressed | TextReceived | MessageReceipt;

/** An event that answers a message which an execution waits for, or the receipt that it waits for. */
export interface WaitedForAnswer {
	event: AnsweringEvent;
	/** undefined when the message has the form of one that is waited for, but was not made with this credential */
	genuine?: {
		/** of the message that is answered */
		messageId: string;
		reference: ResumeReference;
		/** under which the reference is genuine, and so known to the waiting node as well */
		appSecret: string;
		/** under any of which the waiting node may have sealed what people are to be told */
		appSecrets: readonly string[];
		/** a text, also one that looks like a press */
		isText: boolean;
	};
}

/** As a press reads in Diyalog's webhook, and as somebody may have typed it. */
const asTyped = ({ messageId, payload }: ButtonPressed): string => `[${messageId}]:${payload}`;

const isReceipt = (event: DiyalogEvent): event is MessageReceipt =>
	event.event === 'messageDelivered' || event.event === 'messageRead';

/** What is said to a message of which only the receipt is waited for answers no question. */
const unlessReceipt = (found: WaitedForAnswer): WaitedForAnswer | undefined =>
	found.genuine?.reference.waitsFor === 'receipt' ? undefined : found;

/**
 * The waiting execution that an event answers, if its messageId has the form of a resume reference. A receipt counts for those
 * that wait for one, and for no other.
 *
 * `[urgent]: call me` has the form of a press. It is handed on as a text unless it names a message that was sent; the
 * trigger reports it as a press all the same.
 */
export function waitedForAnswer(
	event: DiyalogEvent,
	{ appSecret, previousAppSecret }: TriggerSecrets,
): WaitedForAnswer | undefined {
	const appSecrets = [appSecret, previousAppSecret];
	const find = (of: AnsweringEvent, messageId: string, isText = false) => {
		for (const secret of appSecrets) {
			const reference = fromMessageId(messageId, [secret]);
			if (reference)
				return {
					event: of,
					genuine: { messageId, reference, appSecret: secret, appSecrets, isText },
				};
		}
		return looksLikeReference(messageId) ? { event: of } : undefined;
	};
	if (isReceipt(event)) {
		const messageId = senderIdOf(event.messageId ?? '');
		return mayWaitForReceipt(messageId) ? find(event, messageId) : undefined;
	}
	if (event.event !== 'buttonPressed' && event.event !== 'textReceived') return undefined;
	const lastDelivered = () => {
		const found: WaitedForAnswer | undefined = find(event, event.lastDeliveredMessageId, true);
		return found?.genuine && unlessReceipt(found);
	};
	if (event.event === 'textReceived') return lastDelivered();
	const pressed = find(event, event.messageId);
	if (pressed) return unlessReceipt(pressed);
	const isPress = event.payloadSignature === 'valid' || isKnownMessage(event.messageId);
	return isPress ? undefined : lastDelivered();
}

/** Why an answer did not get through, for the log. */
const LOSSES: Readonly<Record<string, string>> = {
	unreachable:
		'n8n could not reach itself. Set N8n Address in the options of the trigger, e.g. http://127.0.0.1:5678.',
	unknown:
		'n8n failed, did not say what it did with the answer, or took another one at the same moment. Look at the execution. If it still waits, the person can answer again.',
	stillRunning:
		'n8n has held the execution back for a minute after the last answer. Check whether the workers are busy. When the execution waits again, the person can answer again.',
	busy: 'too many answers are in line. This one was not passed on. The person can answer again.',
	withdrawn:
		'an earlier answer of this person did not get through, and this one must not overtake it. This one was not passed on. The person can answer again.',
	unproved:
		'node and trigger have different App Secrets, or the message ID is forged. Choose the same Diyalog API credential in both.',
	signatureRefused:
		'n8n did not accept the signature of its own address. A proxy that changes the path breaks it. See "Behind a path prefix" in docs/operations.md of this package.',
	unexpectedAnswer:
		'another program than n8n answered at this address. Set N8n Address in the options of the trigger to where n8n itself listens. If n8n has a path prefix, see "Behind a path prefix" in docs/operations.md of this package.',
};

function logLoss(context: IWebhookFunctions, which: string, outcome: AnswerOutcome): void {
	if (outcome.resumed || !outcome.isLost) return;
	const { notResumedReason: reason } = outcome;
	const line = () => `: an answer did not reach ${which}: ${LOSSES[reason] ?? ''}`;
	// Anybody can make an ID up.
	if (reason === 'unproved') sayRarely(context, reason, line, 'error');
	else context.logger.error(`Diyalog Trigger${line()}`);
}

/** Why an answer is late. */
const IS_OVER = ['notWaiting', 'expired'];

function toAnswer(event: AnsweringEvent, reference: ResumeReference, isText: boolean): Answer {
	const { customerNo, userId, occurredAt } = event;
	const { turn, number } = reference;
	const common = { turn, number, customerNo, userId, occurredAt };
	if (isReceipt(event)) {
		const text = event.event === 'messageRead' ? 'read' : 'delivered';
		return { kind: 'receipt', text, payloadSignature: 'notChecked', ...common };
	}
	if (event.event === 'textReceived')
		return { kind: 'text', text: event.text, payloadSignature: 'notChecked', ...common };
	if (isText)
		return { kind: 'text', text: asTyped(event), payloadSignature: 'notChecked', ...common };
	const { payload: text, payloadSignature, signedPayload } = event;
	return { kind: 'press', text, payloadSignature, signedPayload, ...common };
}

/** An answer comes to stand in line for its execution. */
async function pass(
	context: IWebhookFunctions,
	genuine: GenuineAnswer,
	{ options: { n8nAddress, onlySigned } }: TriggerSettings,
): Promise<AnswerOutcome> {
	const { reference, answer, passedOn, appSecrets } = genuine;
	const { executionId, turn } = reference;
	const { kind, payloadSignature, userId, occurredAt } = answer;
	if (onlySigned && kind === 'press' && payloadSignature !== 'valid') {
		context.logger.warn(
			`Diyalog Trigger: an unsigned press was not passed on to execution ${executionId}, because Only Signed Presses is on.`,
		);
		return refusal('notSigned');
	}
	let url: string;
	try {
		url = resumeUrlOf(reference, waitingBaseOf(context, n8nAddress));
	} catch {
		return lost('unreachable');
	}
	const outcome = await queue.pass({
		id: passedOn.proof,
		turn,
		userId,
		occurredAt,
		characters: passedOn.answer.length,
		passedOn,
		attempt: async (together) =>
			await postAnswers(
				context,
				url,
				together.map((each) => each.passedOn),
				(replies) => {
					const said = unseal('replies', [executionId, turn], replies, appSecrets);
					void tell(context, genuine, readReplies(said));
				},
			),
	});
	const hasAnswered = outcome.resumed || outcome.notResumedReason === 'counted';
	if (hasAnswered) answeredBy(reference, userId);
	return outcome;
}

/** It may still be carried out. */
const KEPT: AnswerOutcome = { resumed: null, notResumedReason: 'kept', isLost: true };

/**
 * Passes an authenticated answer on to the execution that waits for it, however long that takes. What does not get through is
 * kept, and passed on again with the next calls.
 *
 * @returns what is definite; never rejects
 */
export async function passOnAnswer(
	context: IWebhookFunctions,
	{ event, genuine }: WaitedForAnswer,
	settings: TriggerSettings,
): Promise<AnswerOutcome> {
	const { authentication, options } = settings;
	if (authentication === 'none') {
		const line = () =>
			': an answer did not continue its execution, because this trigger authenticates nothing. Choose Signature under Authentication.';
		sayRarely(context, 'notAuthenticated', line);
		return refusal('notAuthenticated');
	}
	if (!genuine) {
		const outcome = lost('unproved');
		logLoss(context, 'its execution', outcome);
		return outcome;
	}
	const { reference, appSecret, isText } = genuine;
	const answer = toAnswer(event, reference, isText);
	const passedOn = passOn(answer, reference.executionId, appSecret);
	const outcome = await pass(context, { ...genuine, answer, passedOn }, settings);
	const { lateAnswerReply } = options;
	const isOver =
		!outcome.resumed && !outcome.isConcluded && IS_OVER.includes(outcome.notResumedReason);
	if (lateAnswerReply !== '' && isOver)
		void tell(context, genuine, [{ kind: 'late', userId: event.userId, text: lateAnswerReply }]);
	logLoss(context, `execution ${reference.executionId}`, outcome);
	const isWithdrawn = !outcome.resumed && outcome.notResumedReason === 'withdrawn';
	if (!isOpen(outcome) || !keep(context, { ...genuine, answer, passedOn }, isWithdrawn))
		return outcome;
	context.logger.warn(
		`Diyalog Trigger: the answer for execution ${reference.executionId} is kept, and passed on again with the next calls of this trigger.`,
	);
	return KEPT;
}

/** What became of a kept answer in the end. n8n may have failed after it had taken the answer. */
function logSettled(context: IWebhookFunctions, executionId: string, outcome: AnswerOutcome): void {
	const which = `an answer that was kept for execution ${executionId}`;
	if (outcome.resumed) return context.logger.warn(`Diyalog Trigger: ${which} has continued it.`);
	const { notResumedReason: reason } = outcome;
	const mayHave = ['notWaiting', 'earlierTurn', 'unknown'].includes(reason)
		? ' The execution has gone on before, with this answer or without it.'
		: '';
	context.logger.warn(`Diyalog Trigger: ${which} is settled: ${reason}.${mayHave}`);
}

/**
 * Passes kept answers on again in the background. Nobody is told that one is late: it may have been taken the first time.
 *
 * @param answering what this call brings, and passes on behind them
 */
export function passOnKeptAnswers(
	context: IWebhookFunctions,
	settings: TriggerSettings,
	{ appSecret, previousAppSecret }: TriggerSecrets,
	answering: readonly WaitedForAnswer[],
): void {
	if (settings.authentication === 'none') return;
	const places = answering.flatMap(({ event: { userId }, genuine }) =>
		genuine ? [{ turn: genuine.reference.turn, userId }] : [],
	);
	const passOnAgain = async (genuine: GenuineAnswer): Promise<boolean> => {
		const outcome = await pass(context, genuine, settings);
		// So many of the person stand in line already.
		const isInLine = !outcome.resumed && outcome.notResumedReason === 'busy';
		if (isInLine || isOpen(outcome)) return false;
		logSettled(context, genuine.reference.executionId, outcome);
		return true;
	};
	const appSecrets = [appSecret, previousAppSecret];
	passOnKept({ context, appSecrets, passOn: passOnAgain }, places);
}

/** Has n8n store what is kept. A trigger that authenticates nothing leaves it as it is. */
export function storeKeptAnswers(
	context: IWebhookFunctions,
	{ authentication }: TriggerSettings,
): void {
	if (authentication !== 'none') storeKept(context);
}
