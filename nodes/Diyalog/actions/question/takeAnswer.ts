import { sleep } from 'n8n-workflow';
import type {
	ICredentialDataDecryptedObject,
	IDataObject,
	INodeExecutionData,
	IWebhookDescription,
	IWebhookFunctions,
	IWebhookResponseData,
} from 'n8n-workflow';
import { lazily, z } from '../../lib/zod';
import {
	confirmationPage,
	HELD_PAGE,
	LINK_ANSWER_PARAMETER,
	NOTHING_PAGE,
	OVER_PAGE,
	PAGE_HEADERS,
	TAKEN_PAGE,
} from '../../wait/confirmationPage';
import { createPayloadVerifier, signsWithSecret } from '../../deviceSignature/verifier';
import type { VerifierSetup } from '../../deviceSignature/verifier';
import { decide, decideButton, endsAtMs, n8nLooksFromMs } from '../../wait/decide';
import type { DecisionSurroundings, RefusalReason, Verdict, Wait } from '../../wait/decide';
import { isApproval, outputOf } from '../../wait/decisions';
import { countAnswer, decisionOf, isGroupWait } from '../../wait/decideTogether';
import type { GroupWait } from '../../wait/decideTogether';
import { endingInTime, EXPIRED } from '../../wait/outcome';
import type { SignatureCheck } from '../../wait/evidence';
import type { Ending } from '../../wait/outcome';
import { takePassedOn } from '../../wait/passedOnAnswer';
import type { Answer, Reception, Receptions, TakenAnswer } from '../../wait/passedOnAnswer';
import type { GivenAnswer } from '../../wait/people';
import { TURN_PARAMETER } from '../../wait/resumeReference';
import { repliesToWrong, repliesWhenDecided } from '../../wait/replies';
import type { Reply } from '../../wait/replies';
import type { RuleDecision } from '../../wait/rules';
import { seal } from '../../wait/sealed';
import { appSecretsOf } from '../../transport/appSecrets';
import { itemAt } from '../outputs';
import { itemOf, logAnswers, logEnded } from './audited';
import { saysTimeIsUp } from './endInTime';
import { beginToLeave, hasBody } from './leaving';
import { runAgain } from './runAgain';
import { readStored, waitingFor } from './storedWait';
import type { StoredWait } from './storedWait';

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
const REFUSALS: Readonly<Record<string, string>> = {
	notWaiting: 'it does not wait for an answer any more.',
	unproved:
		'no Diyalog Trigger with the same credential has authenticated the call. It is forged, or trigger and node have different App Secrets.',
	earlierTurn: 'the answer belongs to an earlier message of this execution.',
	otherPerson: 'it comes from somebody who was not asked.',
	expired: 'the time was up.',
	otherKind: 'a text came where a button was expected, or the other way round.',
	notIssued: 'this button was not part of the message.',
	notSigned: 'the payload is not validly signed on the device.',
	alreadyAnswered: 'this person has answered before, and the first answer counts.',
	tooLong:
		'the answer is too long. Where several people are asked, each can write 10,000 characters. This person can write again.',
	wrongCode: 'the code was wrong.',
} satisfies Record<RefusalReason | 'notWaiting' | 'unproved', string>;

const KEEPS_WAITING: IWebhookResponseData = { noWebhookResponse: true };

function replyJson(
	context: IWebhookFunctions,
	status: number,
	receptions: Receptions,
): IWebhookResponseData {
	context.getResponseObject().status(status).json(receptions);
	return KEEPS_WAITING;
}

/** What was taken, or has to be tried again, is no news. */
function logRefusal(context: IWebhookFunctions, reason: string): void {
	const words = REFUSALS[reason];
	if (words === undefined) return;
	const execution = context.getExecutionId();
	context.logger.warn(`Diyalog: execution ${execution} does not take an answer: ${words}`);
}

type Accepted = Extract<Verdict, { accepted: true }>;

/** A wait, and the item that went in. */
interface Waited<W extends Wait = Wait> {
	wait: W;
	input: IDataObject;
}

/** The item with which a wait ends, at the output of the decision. */
function ended(
	context: IWebhookFunctions,
	{ wait, input }: Waited,
	ending: Ending,
): INodeExecutionData[][] {
	const at = new Date().toISOString();
	logEnded(context, wait, ending, at);
	const item = { json: itemOf(wait, ending, input, at), pairedItem: { item: 0 } };
	return itemAt(context.getNode(), outputOf(ending.decision), item);
}

/** How one person's answer, or a link, ends a wait. */
function endingOf({ decision, approved, value, evidence }: Accepted, answer?: Answer): Ending {
	// A receipt says nothing of a person, who has done nothing.
	const given = answer?.kind === 'receipt' ? undefined : answer;
	return {
		decision,
		approved,
		value,
		userId: given?.userId ?? null,
		payloadSignature: evidence ? 'valid' : (given?.payloadSignature ?? null),
		...(evidence && { evidence }),
		respondedAt: answer?.occurredAt ?? new Date().toISOString(),
	};
}

/** What enough people have said. The item tells who gave the answer that decided. */
function endedByRule(
	context: IWebhookFunctions,
	{ wait, input }: Waited<GroupWait>,
	{ decision, value }: RuleDecision,
	{ person: index, userId, payloadSignature, respondedAt }: GivenAnswer,
): INodeExecutionData[][] {
	const { customerNo = null, employeeNo } = wait.group.people[index] ?? {};
	const approved = isApproval(decision);
	const ending = { decision, approved, value, userId, payloadSignature, respondedAt };
	return ended(context, { wait: { ...wait, customerNo, employeeNo }, input }, ending);
}

/** What becomes of the answers of a call: what the trigger hears of each, and with what the execution goes on. */
interface Judgement {
	receptions: Reception[];
	/** what people are told afterwards */
	replies: Reply[];
	/** the answers of several people that count by this call */
	counted?: GivenAnswer[];
	goesOn?: INodeExecutionData[][];
}

const refusedAs = (reason: string): Reception => ({ accepted: false, reason });

const ACCEPTED: Reception = { accepted: true };

/** One person was asked. Of several answers the first that decides counts, and a wrong code is counted by itself. */
function judgeForOne(
	context: IWebhookFunctions,
	{ wait, input }: Waited,
	taken: readonly TakenAnswer[],
	surroundings: DecisionSurroundings,
): Judgement {
	let goesOn: INodeExecutionData[][] | undefined;
	let afterwards = 'notWaiting';
	const replies: Reply[] = [];
	const receptions = taken.map(({ answer, proof }) => {
		if (!answer) return refusedAs('unproved');
		// It was counted, but the trigger has not heard of it.
		if (proof === wait.lastWrongCode) return refusedAs('wrongCode');
		const verdict = decide(wait, answer, surroundings);
		const mayCount = verdict.accepted || verdict.reason === 'wrongCode';
		if (goesOn && mayCount) return refusedAs(afterwards);
		if (verdict.accepted) {
			goesOn = ended(context, { wait, input }, endingOf(verdict, answer));
			replies.push(...repliesWhenDecided(wait, verdict, answer.userId));
			return ACCEPTED;
		}
		if (verdict.reason === 'wrongCode') {
			const ending: Ending = { ...EXPIRED, decision: 'tooManyAttempts' };
			const mark = { turn: wait.turn, wrongCode: proof };
			goesOn = runAgain(context, itemOf(wait, ending, input), mark);
			afterwards = 'running';
		}
		replies.push(...repliesToWrong(wait, verdict.reason, answer));
		return refusedAs(verdict.reason);
	});
	return { receptions, replies, goesOn };
}

/** Several people were asked. Their answers are taken in the order of happening, until the rule decides. */
async function judgeForSeveral(
	context: IWebhookFunctions,
	{ wait, input }: Waited<GroupWait>,
	taken: readonly TakenAnswer[],
	surroundings: DecisionSurroundings,
): Promise<Judgement> {
	const byTime = taken
		.map((each, index) => ({ ...each, index }))
		.sort((one, other) =>
			(one.answer?.occurredAt ?? '').localeCompare(other.answer?.occurredAt ?? ''),
		);
	const receptions = taken.map(() => refusedAs('unproved'));
	const replies: Reply[] = [];
	let { group } = wait;
	let goesOn: INodeExecutionData[][] | undefined;
	for (const { answer, proof, index } of byTime) {
		if (!answer) continue;
		// Checking signatures of many people in one go would hold n8n up.
		await sleep(0);
		const counting = countAnswer({ ...wait, group }, answer, proof, surroundings);
		const counted = goesOn ? 'notWaiting' : 'counted';
		receptions[index] = refusedAs(counting.counts ? counted : counting.reason);
		if (!counting.counts) replies.push(...repliesToWrong(wait, counting.reason, answer));
		if (!counting.counts || goesOn) continue;
		group = { ...group, answers: [...group.answers, counting.given] };
		const decided = decisionOf(group);
		if (!decided) continue;
		receptions[index] = ACCEPTED;
		const decidedWait = { ...wait, group };
		goesOn = endedByRule(context, { wait: decidedWait, input }, decided, counting.given);
		replies.push(...repliesWhenDecided(decidedWait, decided, counting.given.userId));
	}
	const countedNow = group.answers.slice(wait.group.answers.length);
	if (goesOn || group === wait.group) return { receptions, replies, counted: countedNow, goesOn };
	const counted = { ...wait, group };
	const [appSecret = ''] = surroundings.appSecrets;
	const mark = {
		turn: wait.turn,
		counted: seal(
			'counted answers',
			[context.getExecutionId(), wait.turn],
			group.answers,
			appSecret,
		),
	};
	const goesOnWaiting = runAgain(context, itemOf(counted, EXPIRED, input), mark);
	return { receptions, replies, counted: countedNow, goesOn: goesOnWaiting };
}

const NO_PUBLIC_KEYS = {
	ok: false,
	title:
		'The credential says now that the app signs with a secret, and the question has public keys',
	advice: 'Choose in the Diyalog API credential the method with which these keys sign.',
} as const;

/** What a trigger passed on: proved, decided, and answered in JSON. */
async function takePassedOnAnswers(
	context: IWebhookFunctions,
	{ wait, input }: StoredWait,
): Promise<IWebhookResponseData> {
	const credential = await context.getCredentials('diyalogApi');
	const appSecrets = appSecretsOf(credential);
	const taken = takePassedOn(context.getBodyData(), context.getExecutionId(), appSecrets);
	if (!taken.some(({ answer }) => answer)) {
		logRefusal(context, 'unproved');
		return replyJson(context, 401, { receptions: taken.map(() => refusedAs('unproved')) });
	}
	if (!wait) {
		logRefusal(context, 'notWaiting');
		return replyJson(context, 200, { receptions: taken.map(() => refusedAs('notWaiting')) });
	}
	const goOn = beginToLeave(context, wait);
	if (!goOn) return replyJson(context, 200, { receptions: taken.map(() => refusedAs('held')) });
	const { said, goesOn } = await judgeAnswers(context, credential, { wait, input }, taken);
	return goesOn ? goOn(goesOn, said) : replyJson(context, 200, said);
}

/** Judges answers that a trigger has authenticated. */
async function judgeAnswers(
	context: IWebhookFunctions,
	credential: ICredentialDataDecryptedObject,
	{ wait, input }: Waited,
	taken: readonly TakenAnswer[],
): Promise<{ said: Receptions; goesOn: INodeExecutionData[][] | undefined }> {
	const appSecrets = appSecretsOf(credential);
	const now = new Date();
	const verifiers = new Map<unknown, VerifierSetup>();
	/** Reading keys can take longer than checking a signature, and one person may press many times. */
	const verifierFor = (personKeys: unknown): VerifierSetup => {
		const known = verifiers.get(personKeys);
		if (known) return known;
		// Changed since it was asked: a key that everybody may know must not become a secret.
		const verifier: VerifierSetup =
			personKeys !== undefined && signsWithSecret(credential)
				? NO_PUBLIC_KEYS
				: createPayloadVerifier(credential, personKeys);
		if (!verifier.ok) context.logger.error(`Diyalog: ${verifier.title}. ${verifier.advice}`);
		verifiers.set(personKeys, verifier);
		return verifier;
	};
	const checkSignature: SignatureCheck = (press, personKeys) => {
		const verifier = verifierFor(personKeys);
		return verifier.ok
			? verifier.verify(press, now)
			: { payloadSignature: 'invalid', payload: press.payload };
	};
	const surroundings = { now, appSecrets, checkSignature };
	const {
		receptions,
		replies,
		counted = [],
		goesOn,
	} = isGroupWait(wait)
		? await judgeForSeveral(context, { wait, input }, taken, surroundings)
		: judgeForOne(context, { wait, input }, taken, surroundings);
	for (const reception of receptions)
		if (!reception.accepted) logRefusal(context, reception.reason);
	const isCheckable = (personKeys: unknown): boolean => {
		const verifier = verifierFor(personKeys);
		return verifier.ok && verifier.keys.length > 0;
	};
	logAnswers(context, credential, wait, taken, receptions, counted, isCheckable);
	const [appSecret = ''] = appSecrets;
	const said: Receptions = {
		receptions,
		...(replies.length > 0 && {
			replies: seal('replies', [context.getExecutionId(), wait.turn], replies, appSecret),
		}),
	};
	return { said, goesOn };
}

const turnSchema = lazily(() => z.object({ [TURN_PARAMETER]: z.unknown().optional() }));

/** The node that asked says that the time is up; whoever calls, it is looked at here. */
function takeEnd(context: IWebhookFunctions, { wait, input }: StoredWait): IWebhookResponseData {
	const { [TURN_PARAMETER]: turn } = turnSchema().parse(context.getQueryData());
	const refuse = (reason: string) => replyJson(context, 200, { receptions: [refusedAs(reason)] });
	const isOver = wait && turn === wait.turn && Date.now() >= endsAtMs(wait);
	if (!isOver || hasBody(context)) return refuse('notOver');
	if (Date.now() > n8nLooksFromMs(wait)) return refuse('leftToN8n');
	const goOn = beginToLeave(context, wait);
	if (!goOn) return refuse('held');
	const { waiting: json, output } = waitingFor(wait, input);
	logEnded(context, wait, endingInTime(wait));
	const item = { json, pairedItem: { item: 0 } };
	return goOn(itemAt(context.getNode(), output, item), { receptions: [ACCEPTED] });
}

function showPage(context: IWebhookFunctions, html: string, status = 200): void {
	context.getResponseObject().status(status).set(PAGE_HEADERS).send(html);
}

const querySchema = lazily(() =>
	z.object({ [TURN_PARAMETER]: z.string(), [LINK_ANSWER_PARAMETER]: z.string() }),
);

/** Somebody opened a link of the message, or pressed the button of the page behind it. */
function takeLink(context: IWebhookFunctions, { wait, input }: StoredWait): IWebhookResponseData {
	const query = querySchema().safeParse(context.getQueryData()).data;
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
	if (hasBody(context)) {
		showPage(context, NOTHING_PAGE, 400);
		return KEEPS_WAITING;
	}
	const goOn = beginToLeave(context, wait);
	if (!goOn) {
		showPage(context, HELD_PAGE, 409);
		return KEEPS_WAITING;
	}
	context.getResponseObject().set(PAGE_HEADERS);
	return goOn(ended(context, { wait, input }, endingOf(verdict)), TAKEN_PAGE);
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
		if (saysTimeIsUp(context.getQueryData())) return takeEnd(context, stored);
		return await takePassedOnAnswers(context, stored);
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
