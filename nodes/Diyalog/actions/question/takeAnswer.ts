import type {
	IDataObject,
	INodeExecutionData,
	IWebhookDescription,
	IWebhookFunctions,
	IWebhookResponseData,
} from 'n8n-workflow';
import { z } from 'zod/v4';
import {
	confirmationPage,
	LINK_ANSWER_PARAMETER,
	OVER_PAGE,
	PAGE_HEADERS,
	TAKEN_PAGE,
} from '../../wait/confirmationPage';
import { decide, decideButton, endsAtMs, outputOf } from '../../wait/decide';
import type { RefusalReason, Verdict, Wait } from '../../wait/decide';
import { EXPIRED, outcomeOf } from '../../wait/outcome';
import type { Ending } from '../../wait/outcome';
import { takePassedOn } from '../../wait/passedOnAnswer';
import type { Answer, Reception } from '../../wait/passedOnAnswer';
import { TURN_PARAMETER } from '../../wait/resumeReference';
import { itemAt } from '../outputs';
import { hasEnded, saysTimeIsUp } from './endInTime';
import { readStored, waitingFor } from './storedWait';
import type { StoredWait } from './storedWait';
import { countWrongCode } from './wrongCode';

/*
 * What comes to the resume address of an execution that waits in "Send and Wait for Response". Nothing may be thrown here:
 * n8n would end the waiting execution with that error.
 */

const resumeWebhook = (httpMethod: 'GET' | 'POST'): IWebhookDescription => ({
	name: 'default',
	httpMethod,
	responseMode: 'onReceived',
	// n8n answers with what the webhook returns, once it has stored that the execution continues.
	responseData: '',
	path: '={{ $nodeId }}',
	restartWebhook: true,
	isFullPath: true,
});

/** The resume address of a waiting execution: opened by links, posted to by triggers. */
export const resumeWebhooks = [resumeWebhook('GET'), resumeWebhook('POST')];

/** For n8n's log, without any content of the answer. */
const REFUSALS: Readonly<Record<RefusalReason | 'notWaiting' | 'unproved', string>> = {
	notWaiting: 'it does not wait for an answer.',
	unproved:
		'no Diyalog Trigger with the same credential has authenticated the call. It is forged, or trigger and node have different App Secrets.',
	earlierTurn: 'the answer belongs to an earlier message of this execution.',
	otherPerson: 'it comes from somebody who was not asked.',
	expired: 'the time was up.',
	otherKind: 'a text came where a button was expected, or the other way round.',
	notIssued: 'this button was not part of the message.',
	notSigned: 'the payload is not validly signed on the device.',
	wrongCode: 'the code was wrong.',
};

const appSecretsOf = (credential: Readonly<Record<string, unknown>>): string[] =>
	[credential.appSecret, credential.previousAppSecret]
		.map((secret) => (typeof secret === 'string' ? secret : ''))
		.filter((secret) => secret !== '');

function replyJson(context: IWebhookFunctions, status: number, reception: Reception): void {
	context.getResponseObject().status(status).json(reception);
}

const KEEPS_WAITING: IWebhookResponseData = { noWebhookResponse: true };

function logRefusal(context: IWebhookFunctions, reason: keyof typeof REFUSALS): void {
	const execution = context.getExecutionId();
	context.logger.warn(
		`Diyalog: execution ${execution} takes no answer and keeps waiting: ${REFUSALS[reason]}`,
	);
}

function refuse(
	context: IWebhookFunctions,
	reason: keyof typeof REFUSALS,
	status = 200,
): IWebhookResponseData {
	logRefusal(context, reason);
	replyJson(context, status, { accepted: false, reason });
	return KEEPS_WAITING;
}

type Accepted = Extract<Verdict, { accepted: true }>;

const outcomeFor = (
	context: IWebhookFunctions,
	{ wait, input }: { wait: Wait; input: IDataObject },
	{ decision, approved, value }: Accepted,
	answer?: Answer,
): INodeExecutionData[][] => {
	hasEnded(wait);
	// A receipt says nothing of a person, who has done nothing.
	const given = answer?.kind === 'receipt' ? undefined : answer;
	const ending: Ending = {
		decision,
		approved,
		value,
		userId: given?.userId ?? null,
		payloadSignature: given?.payloadSignature ?? null,
		respondedAt: answer?.occurredAt ?? new Date().toISOString(),
	};
	const item = { json: outcomeOf(wait, ending, input), pairedItem: { item: 0 } };
	return itemAt(context.getNode(), outputOf(decision), item);
};

/**
 * Lets the execution continue. n8n does so only if it still waits, and answers when that is stored; of several answers at
 * the same time, also in several processes, it takes one.
 */
const goOn = (
	workflowData: INodeExecutionData[][],
	webhookResponse: string | Reception,
): IWebhookResponseData => ({ webhookResponse, workflowData });

/** What a trigger passed on: proved, decided, and answered in JSON. */
async function takePassedOnAnswer(
	context: IWebhookFunctions,
	{ wait, input }: StoredWait,
): Promise<IWebhookResponseData> {
	const appSecrets = appSecretsOf(await context.getCredentials('diyalogApi'));
	const answer = takePassedOn(context.getBodyData(), context.getExecutionId(), appSecrets);
	if (!answer) return refuse(context, 'unproved', 401);
	if (!wait) return refuse(context, 'notWaiting');
	const proof = String(context.getBodyData().proof);
	// It was counted, but the trigger has not heard of it.
	if (proof === wait.lastWrongCode) return refuse(context, 'wrongCode');
	const verdict = decide(wait, answer, { now: new Date(), appSecrets });
	if (verdict.accepted)
		return goOn(outcomeFor(context, { wait, input }, verdict, answer), { accepted: true });
	if (verdict.reason !== 'wrongCode') return refuse(context, verdict.reason);
	const ending: Ending = { ...EXPIRED, decision: 'tooManyAttempts' };
	logRefusal(context, 'wrongCode');
	const again = countWrongCode(context, wait, outcomeOf(wait, ending, input), proof);
	return goOn(again, { accepted: false, reason: 'wrongCode' });
}

const turnSchema = z.object({ [TURN_PARAMETER]: z.unknown().optional() });

/** The node that asked says that the time is up; whoever calls, it is looked at here. */
function takeEnd(context: IWebhookFunctions, { wait, input }: StoredWait): IWebhookResponseData {
	const { [TURN_PARAMETER]: turn } = turnSchema.parse(context.getQueryData());
	if (!wait || turn !== wait.turn || Date.now() < endsAtMs(wait)) {
		replyJson(context, 200, { accepted: false, reason: 'notOver' });
		return KEEPS_WAITING;
	}
	const { waiting: json, output } = waitingFor(wait, input);
	const item = { json, pairedItem: { item: 0 } };
	return goOn(itemAt(context.getNode(), output, item), { accepted: true });
}

function showPage(context: IWebhookFunctions, html: string, status = 200): void {
	context.getResponseObject().status(status).set(PAGE_HEADERS).send(html);
}

const querySchema = z.object({ [TURN_PARAMETER]: z.string(), [LINK_ANSWER_PARAMETER]: z.string() });

/** Somebody opened a link of the message, or pressed the button of the page behind it. */
function takeLink(context: IWebhookFunctions, { wait, input }: StoredWait): IWebhookResponseData {
	const query = querySchema.safeParse(context.getQueryData()).data;
	const isOver =
		!wait || !query || query.turn !== wait.turn || Date.now() > Date.parse(wait.deadline);
	if (isOver || wait.expectation.kind !== 'link') {
		showPage(context, OVER_PAGE, 410);
		return KEEPS_WAITING;
	}
	const { buttons } = wait.expectation;
	const verdict = decideButton(buttons, query.answer);
	const isConfirmed = context.getRequestObject().method === 'POST';
	if (!verdict.accepted) {
		showPage(context, OVER_PAGE, 410);
		return KEEPS_WAITING;
	}
	if (!isConfirmed) {
		const title = buttons.find(({ payload }) => payload === query.answer)?.title ?? '';
		showPage(context, confirmationPage(title));
		return KEEPS_WAITING;
	}
	context.getResponseObject().set(PAGE_HEADERS);
	return goOn(outcomeFor(context, { wait, input }, verdict), TAKEN_PAGE);
}

/**
 * Takes a call of the resume address of a waiting execution.
 *
 * @returns the item with which the execution continues, or nothing, and it keeps waiting
 */
export async function takeAnswer(context: IWebhookFunctions): Promise<IWebhookResponseData> {
	try {
		const stored = readStored(context);
		const isLink = LINK_ANSWER_PARAMETER in context.getQueryData();
		if (isLink || context.getRequestObject().method === 'GET') return takeLink(context, stored);
		if (saysTimeIsUp(context.getBodyData())) return takeEnd(context, stored);
		return await takePassedOnAnswer(context, stored);
	} catch (error) {
		const name = error instanceof Error ? error.name : 'an unknown error';
		context.logger.error(
			`Diyalog: taking an answer failed with ${name}; the execution keeps waiting.`,
		);
		const response = context.getResponseObject();
		if (!response.headersSent)
			response.status(500).json({ error: 'The answer could not be taken.' });
		return KEEPS_WAITING;
	}
}
