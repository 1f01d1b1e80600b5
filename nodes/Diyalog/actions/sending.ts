import type { IExecuteFunctions } from 'n8n-workflow';
import type { KeptChallenge } from '../codes/challenge';
import { rememberMessage } from '../messages/knownMessages';
import type { DiyalogRecipient, Recipient } from '../messages/recipient';
import type { MessageResponse } from '../messages/response';
import { DiyalogClient } from '../transport/client';
import type { ApiRequest, ClientOptions, Outcome } from '../transport/client';
import type { Failure } from '../transport/failures';
import { fromMessageId } from '../wait/resumeReference';
import { invalidInputError } from './errors';
import type { OperationRun } from './operation';
import { sameCredential } from './sameCredential';
import { parameterReader } from './parameters';
import type { Permit } from './permit';
import { readConcurrency, readSendOptions } from './sendOptions';
import type { Attempt, Settled, SettledItems } from './settled';

/* Sending messages: the same for every operation that does, whatever kind of message it is. */

/** The item of a message that was sent, beside what its code adds. Its comments are what people read in n8n. */
export interface SentMessage {
	messageId: string;
	/** the person's id in Diyalog */
	userId: string;
	/** the id that Diyalog gave to the message */
	diyalogMessageId: string;
	/** ISO 8601 */
	sentAt: string;
}

/** One message, checked and ready to be sent. */
export interface Message {
	messageId: string;
	/** further ids that a press may name */
	otherIds?: readonly string[];
	recipient: Recipient;
	/** how SendMessage names the person; undefined for what SendOTP sends */
	messageTo?: DiyalogRecipient;
	request: ApiRequest<MessageResponse>;
	/** what the person reads; undefined where a code stands in it */
	text?: string;
	/** counts the message against limits */
	permit?: Permit;
	/** whether its code is accepted for one transaction alone */
	transactionBound?: boolean;
	/** sends it, and records what came of that */
	recorded?: (send: () => Promise<Settled>) => Promise<Settled>;
	/** what else its item says, where it has a code */
	added?: (sentAt: Date) => KeptChallenge;
}

/** What tells the person of a message from others. */
export const personOf = ({ messageTo, recipient }: Message): object => messageTo ?? recipient;

/** All ids that a press of a message may name. */
const idsOf = ({ messageId, otherIds = [] }: Pick<Message, 'messageId' | 'otherIds'>) => [
	messageId,
	...otherIds,
];

/** Sends a message, which is known from then on: a press may name it at once. */
export async function sendMessage(
	client: DiyalogClient,
	message: Pick<Message, 'messageId' | 'otherIds' | 'request'>,
	options: ClientOptions,
): Promise<Outcome<MessageResponse>> {
	idsOf(message).forEach(rememberMessage);
	return await client.send(message.request, options);
}

/**
 * Sends a message that is permitted, and gives back what it took of a limit when it certainly was not sent.
 *
 * @throws what the permission throws
 */
export async function deliver(
	client: DiyalogClient,
	message: Message,
	options: ClientOptions,
	attempt: Attempt,
	sentAt: Date,
): Promise<Settled> {
	const giveBack = await message.permit?.(sentAt);
	let leftAt = sentAt;
	const onRetried = (triedAt: Date) => void (leftAt = triedAt);
	const outcome = await sendMessage(client, message, { ...options, onRetried });
	if (outcome.accepted) {
		const { userId, diyalogMessageId } = outcome.response;
		const { messageId, recipient } = message;
		const ids = { messageId, userId, diyalogMessageId };
		const sent: Recipient & SentMessage = { ...recipient, ...ids, sentAt: leftAt.toISOString() };
		return { result: { ...sent, ...message.added?.(sentAt) } };
	}
	// When that fails too, the message counts as sent: the failure to send is the news.
	if (outcome.failure.uncertain) attempt.setUncertain(outcome);
	else await giveBack?.().catch(() => undefined);
	return outcome;
}

/** What the first refusal of the token says to all items behind it: not one more request is made. */
const notSentBecause = ({ title, ...failure }: Failure): Failure => ({
	...failure,
	title: `Not sent: ${title}`,
});

/**
 * Begins to send one message for each item.
 *
 * @param prepareWith gives what reads and checks one item; nothing has been sent when that throws
 * @param usualConcurrency unless the options say otherwise
 */
export async function startSending(
	context: IExecuteFunctions,
	settled: SettledItems,
	prepareWith: (client: DiyalogClient) => (itemIndex: number) => Message | Promise<Message>,
	usualConcurrency?: () => number,
): Promise<OperationRun> {
	const client = await DiyalogClient.create(context);
	const requireSame = await sameCredential(context, client.credentials);
	const read = parameterReader(context);
	const prepare = prepareWith(client);
	const { appSecret, previousAppSecret } = client.credentials;
	const appSecrets = [appSecret, previousAppSecret].map((secret) => String(secret ?? ''));
	let refusedToken: Failure | undefined;

	const execute = async (itemIndex: number): Promise<Settled> => {
		// Nothing is awaited where there is one for all: how long an item keeps n8n busy is measured up to there.
		if (requireSame) await requireSame(itemIndex);
		const message = await prepare(itemIndex);
		const options = readSendOptions(read, itemIndex);
		if (idsOf(message).some((id) => fromMessageId(id, appSecrets) !== undefined)) {
			const problem = {
				field: 'Message ID',
				problem: 'belongs to a question that an execution asks',
				advice: 'Use another one, or none: a press of this message would answer that question.',
			};
			throw invalidInputError(context.getNode(), problem, itemIndex);
		}
		const { recorded = async (send) => await send() } = message;
		const failure = refusedToken && notSentBecause(refusedToken);
		if (failure) return await recorded(async () => ({ failure }));
		const attempt = settled.attempt(itemIndex, personOf(message));
		const send = async () => await deliver(client, message, options, attempt, new Date());
		const sent = attempt.before ?? (await recorded(send));
		if ('failure' in sent && sent.failure.kind === 'wrongToken') refusedToken = sent.failure;
		return sent;
	};
	return { concurrency: readConcurrency(read, usualConcurrency), execute };
}
