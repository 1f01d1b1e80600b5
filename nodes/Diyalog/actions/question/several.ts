import { sleep } from 'n8n-workflow';
import type { IDataObject, IExecuteFunctions } from 'n8n-workflow';
import { CREDENTIAL_TYPE } from '../../transport/client';
import type { ClientOptions, DiyalogClient } from '../../transport/client';
import type { Failure } from '../../transport/failures';
import type { GroupWait } from '../../wait/decideTogether';
import { canAnswer, givenAnswersSchema } from '../../wait/people';
import type { Person } from '../../wait/people';
import { neededFor } from '../../wait/rules';
import { unseal } from '../../wait/sealed';
import { appSecretsOf } from '../../transport/appSecrets';
import type { ItemOutcome } from '../operation';
import { deliver } from '../sending';
import type { Message } from '../sending';
import type { Attempt } from '../settled';
import { waitOn } from './runAgain';
import type { QuestionAgain } from './runAgain';

/* Asking several people: everybody gets a message, and who could not be reached is known before the execution waits. */

const SAME_PERSON = 'This is the same person as another one who was asked';

/** Sends everybody the question at the same time; whoever cannot be reached costs no other. */
async function sendToAll(
	client: DiyalogClient,
	attempts: readonly Attempt[],
	people: readonly Person[],
	messages: readonly Message[],
	options: ClientOptions,
	now: Date,
): Promise<{
	asked: Person[];
	remember: (failure: Failure) => void;
	failures: Map<number, Failure>;
}> {
	/** by the person's place in the list */
	const failures = new Map<number, Failure>();
	const reached: Array<(failure: Failure) => void> = [];
	const send = async (
		person: Person,
		message: Message,
		attempt: Attempt,
		index: number,
	): Promise<Person> => {
		try {
			const sent = attempt.before ?? (await deliver(client, message, options, attempt, now));
			if ('result' in sent) {
				reached.push((failure) => attempt.setUncertain({ failure }));
				const { userId, sentAt } = sent.result;
				return { ...person, userId: String(userId), sentAt: String(sentAt) };
			}
			const { failure } = sent;
			failures.set(index, failure);
			return { ...person, unreached: failure.title, uncertain: failure.uncertain };
		} catch (error) {
			const unreached = error instanceof Error ? error.message : 'The message was not permitted';
			return { ...person, unreached };
		}
	};
	const sent = await Promise.all(
		messages.flatMap((message, index) => {
			const person = people[index];
			const attempt = attempts[index];
			return person && attempt ? [send(person, message, attempt, index)] : [];
		}),
	);
	const seen = new Set<string>();
	const asked = sent.map((person) => {
		if (person.userId === undefined) return person;
		if (seen.has(person.userId)) return { ...person, unreached: SAME_PERSON };
		seen.add(person.userId);
		return person;
	});
	return { asked, failures, remember: (failure) => reached.forEach((each) => each(failure)) };
}

/** Why a person could not be asked for whom no request failed. */
const NOT_SENT = {
	samePerson: 'Take one of the two out of the list of people.',
	notPermitted: 'Ask again when this person may be asked.',
};

/** Too few can answer, so that the rule can never be met. Who got the message must not get it again. */
function tooFew(
	people: readonly Person[],
	needed: number,
	failures: ReadonlyMap<number, Failure>,
): Failure {
	const reached = people.filter(canAnswer).length;
	const firstAt = people.findIndex(({ unreached }) => unreached !== undefined);
	const reason = people[firstAt]?.unreached ?? '';
	const notSent = reason === SAME_PERSON ? 'samePerson' : 'notPermitted';
	const { kind, advice } = failures.get(firstAt) ?? { kind: notSent, advice: NOT_SENT[notSent] };
	const mayHaveGotIt = people.some(
		({ unreached, uncertain }) => unreached === undefined || uncertain,
	);
	return {
		kind,
		title: `Only ${reached} of ${people.length} people could be asked, and ${needed} have to answer. The first person who could not be asked: ${reason}`,
		advice: `${advice} The node does not wait for an answer.`,
		...(mayHaveGotIt && { partly: true }),
	};
}

/** What became of asking several people: who can answer, or why the rule can never be met. */
export type Asked = { wait: GroupWait } | { failure: Failure };

/** Asks all people of a question. */
export async function askAll(
	client: DiyalogClient,
	attempts: readonly Attempt[],
	wait: GroupWait,
	messages: readonly Message[],
	options: ClientOptions,
	now: Date,
): Promise<Asked> {
	const { rule, people } = wait.group;
	const { asked, failures, remember } = await sendToAll(
		client,
		attempts,
		people,
		messages,
		options,
		now,
	);
	const needed = neededFor(rule, asked.length);
	if (asked.filter(canAnswer).length >= needed)
		return { wait: { ...wait, group: { ...wait.group, people: asked } } };
	const failure = tooFew(asked, needed, failures);
	remember(failure);
	return { failure };
}

/** Waits on after answers that do not decide yet. */
export async function waitAfterAnswers(
	context: IExecuteFunctions,
	wait: GroupWait,
	{ input, mark }: { input: IDataObject; mark: QuestionAgain['mark'] },
): Promise<ItemOutcome> {
	const counted = await readCounted(context, wait, mark);
	if (!counted) {
		context.logger.error(
			'Diyalog: answers to a question could not be counted, and have to be given again.',
		);
	}
	const group = { ...wait.group, answers: counted ?? wait.group.answers };
	return await waitOn(context, { ...wait, group }, input, async () => undefined);
}

/** n8n reads the credential from its database, which may fail for a moment. Until then the execution runs, and answers wait. */
const CREDENTIAL_TRIES = 6;
const FIRST_CREDENTIAL_PAUSE_MS = 500;

async function readAppSecrets(context: IExecuteFunctions): Promise<string[]> {
	for (let tried = 0; tried < CREDENTIAL_TRIES; tried++) {
		if (tried > 0) await sleep(FIRST_CREDENTIAL_PAUSE_MS * 2 ** (tried - 1));
		const found = await context.getCredentials(CREDENTIAL_TYPE).catch(() => undefined);
		if (found) return appSecretsOf(found);
	}
	return [];
}

async function readCounted(
	context: IExecuteFunctions,
	{ turn }: GroupWait,
	{ counted }: QuestionAgain['mark'],
) {
	const secrets = await readAppSecrets(context);
	const belongsTo = [context.getExecutionId(), turn];
	return givenAnswersSchema().safeParse(unseal('counted answers', belongsTo, counted, secrets))
		.data;
}
