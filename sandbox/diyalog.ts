import { randomBytes } from 'node:crypto';
import { choicesOf } from './choices';
import type { Choice } from './choices';
import { CompanyApp } from './companyApp';
import type { Signer } from './companyApp';
import type { Bot, Faults, SandboxConfig } from './config';
import { later } from './host';
import { isMeant, namesOf, People } from './people';
import type { Named, Person, PersonRequest } from './people';
import { botNotAlive, parseBody, unknownRecipient, wrongToken } from './refusals';
import { SandboxError } from './sandboxError';
import { parseMessage } from './sendmessage';
import type { SentContent, SentKind } from './sendmessage';
import { otpSchema } from './sendmok';
import type { Otp } from './sendmok';
import { WebhookSender } from './webhooks';

/** What was sent, by SendOTP (`kind` "otp") or SendMessage. */
interface MessageBody extends Partial<Omit<Otp, 'customerNo'>>, Omit<SentContent, 'kind'> {
	kind: 'otp' | SentKind;
	/** Diyalog's own, where the sender gave none. */
	messageId: string;
}

/** A message as it reached a phone. Sent twice, it is there twice. */
export interface StoredMessage extends MessageBody, Named {
	/** Diyalog's own id: tells two copies of one messageId apart. */
	id: string;
	botName: string;
	deliveredAt: number;
	readAt?: number;
	/** How many times the person has got this messageId so far, this one included. */
	copy: number;
	/**
	 * What was tapped, in the order of the presses: indexes into buttonsV2, into quickReplies, or into
	 * the buttons of a carousel, one card after the other.
	 */
	presses: number[];
}

/** What the person did: the right-hand side of the chat. */
export interface CustomerAnswer extends Named {
	id: string;
	botName: string;
	/** As the person sees it. */
	shown: string;
	/** As the webhook carries it. */
	text: string;
	at: number;
	/** Of a press: the id in its brackets. */
	messageId?: string;
	/** Of a payloadHidden button; "missing" from an app that cannot sign. */
	signature?: Signer | 'replayed' | 'missing';
}

/** The person is needed when several have the messageId; otherwise the newest message is meant. */
export interface PressRequest extends PersonRequest {
	/** Of the message, its template, or one of a carousel's cards: then only that card is meant. */
	messageId: string;
	/** Title or index of the button or quick reply. */
	button: string | number;
	/** Diyalog's id, when one certain copy is meant. */
	id?: string;
}

export interface TypeRequest extends PersonRequest {
	text: string;
	/** The bot written to; by default the one whose message came last, or the first one. */
	botName?: string;
}

export interface Surroundings {
	now: () => number;
	/** Diyalog's ids: signed 64-bit integers. */
	newId: () => string;
}

export const realSurroundings: Surroundings = {
	now: Date.now,
	newId: () => randomBytes(8).readBigInt64BE().toString(),
};

/** What happens on a Diyalog server and on the phones; HTTP is in server.ts. */
export class Diyalog {
	readonly messages: StoredMessage[] = [];
	readonly answers: CustomerAnswer[] = [];
	readonly faults: Faults = {
		duplicates: false,
		delayMs: 0,
		outOfOrder: false,
		unreachable: false,
		phonesOff: false,
		forgeSignature: false,
		otherPhonesKey: false,
		replaySignature: false,
		signDataUnsupported: false,
		customerNoInEvents: 'present',
	};
	readonly people: People;
	readonly webhooks: WebhookSender;
	readonly companyApp: CompanyApp;
	private readonly copies = new Map<string, number>();
	/** Per bot and person: what message.mid of an answer refers to. */
	private readonly lastDelivered = new Map<string, string>();
	/** Per bot and person: the message whose quick replies are above the text field. */
	private readonly openReplies = new Map<string, StoredMessage>();
	private readonly underWay = new Set<() => void>();
	/** Messages for phones that are switched off, in the order of sending. */
	private readonly held: Array<() => void> = [];

	constructor(
		readonly config: SandboxConfig,
		private readonly surroundings: Surroundings,
		private readonly onChange: () => void,
	) {
		const { now } = surroundings;
		this.people = new People(config);
		this.companyApp = new CompanyApp(config.signData, this.people);
		this.webhooks = new WebhookSender(config, this.people, this.faults, now, onChange);
	}

	/** SendOTP. Throws a Refusal in the documented words; the token is looked at before anything else. */
	sendOtp(token: string, contentType: string | undefined, rawBody: unknown) {
		const bot = this.botWith(token);
		const { customerNo, ...otp } = parseBody(otpSchema, contentType, rawBody);
		if (!bot.active) throw botNotAlive();
		const person = this.people.customer(customerNo);
		if (!person) throw unknownRecipient();
		const id = this.surroundings.newId();
		this.deliver(bot, person, id, { kind: 'otp', ...otp });
		return this.accepted(person, id, otp.messageId);
	}

	/** SendMessage. A document is answered for before it is on the phone. */
	sendMessage(token: string, contentType: string | undefined, rawBody: unknown) {
		const bot = this.botWith(token);
		const { recipient, messageId: given, content } = parseMessage(contentType, rawBody);
		if (!bot.active) throw botNotAlive();
		const person = this.people.recipient(recipient);
		if (!person) throw unknownRecipient();
		const id = this.surroundings.newId();
		const messageId = given ?? id;
		const deliver = () => this.deliver(bot, person, id, { ...content, messageId });
		if (content.kind === 'document') this.afterwards(deliver);
		else deliver();
		return this.accepted(person, id, messageId);
	}

	/** Where the phones are on again, what was sent meanwhile arrives. */
	setFaults(faults: Partial<Faults>): Faults {
		if (faults.otherPhonesKey && !this.companyApp.hasKeyPerPhone) {
			throw new SandboxError(
				409,
				'All phones have the same key. Start the sandbox with signData.keys "perPhone".',
			);
		}
		Object.assign(this.faults, faults);
		this.onChange();
		this.handOut();
		return this.faults;
	}

	/** Documents that were accepted and are not on the phone yet. */
	get documentsUnderWay(): number {
		return this.underWay.size;
	}

	/** The messages whose quick replies a phone shows now. */
	messagesWithOpenReplies(): StoredMessage[] {
		return [...this.openReplies.values()];
	}

	timesReceived(request: PersonRequest, messageId: string): number {
		const userId = request.userId ?? this.people.find(request)?.userId ?? '';
		return this.copies.get(keyOf(userId, messageId)) ?? 0;
	}

	/** Presses a postback button or a quick reply. A button can be pressed again and again. */
	press(request: PressRequest): CustomerAnswer {
		const { messageId, id } = request;
		const message = this.messages.findLast(
			(each) =>
				(each.messageId === messageId || isIdInside(each, messageId)) &&
				isMeant(each, request) &&
				(id === undefined || each.id === id),
		);
		if (!message) throw new SandboxError(404, `No customer has got a message "${messageId}".`);
		const { choice, index } = this.choiceOf(message, request);
		const person = this.people.named({ userId: message.userId });
		const { payload, signature } = this.returned(person, choice);
		message.presses.push(index);
		return this.answer(this.bot(message.botName), person, {
			text: bracketed(choice.messageId) + payload,
			messageId: choice.messageId,
			shown: choice.payloadSeenByUser ?? choice.payload,
			...(signature && { signature }),
		});
	}

	typeText({ text, botName, ...request }: TypeRequest): CustomerAnswer {
		const person = this.people.named(request);
		const { userId } = person;
		const lastBotName = this.messages.findLast((each) => each.userId === userId)?.botName;
		const bot = this.bot(botName ?? lastBotName ?? this.config.bots[0]?.name ?? '');
		return this.answer(bot, person, { text, shown: text });
	}

	/** The person sees the chat: everything unread becomes read, one event per bot. */
	markRead(request: PersonRequest): StoredMessage[] {
		const person = this.people.named(request);
		const readAt = this.surroundings.now();
		const unread = this.messages.filter(
			(each) => each.userId === person.userId && each.readAt === undefined,
		);
		for (const message of unread) message.readAt = readAt;
		for (const bot of this.config.bots) {
			const own = unread.filter((message) => message.botName === bot.name);
			const mids = own.map((message) => this.midOf(message));
			if (mids.length === 0) continue;
			this.webhooks.add(bot, person, readAt, { reads: { mids, watermark: readAt } });
		}
		if (unread.length > 0) this.onChange();
		return unread;
	}

	bot(name: string): Bot {
		const bot = this.config.bots.find((candidate) => candidate.name === name);
		if (!bot) throw new SandboxError(404, `There is no bot "${name}".`);
		return bot;
	}

	async close(): Promise<void> {
		for (const callOff of this.underWay) callOff();
		await this.webhooks.close();
	}

	private botWith(token: string): Bot {
		const bot = this.config.bots.find((candidate) => candidate.token === token);
		if (!bot) throw wrongToken();
		return bot;
	}

	private accepted({ userId }: Person, id: string, messageId: string) {
		const answered = this.config.ids.answer === 'sender' ? messageId : id;
		return { recipient_id: userId, message_id: answered };
	}

	private afterwards(task: () => void): void {
		const callOff = later(this.config.documentDelayMs, () => {
			this.underWay.delete(callOff);
			task();
		});
		this.underWay.add(callOff);
		this.onChange();
	}

	/** Diyalog takes a message, and hands it to the phone if that is on. */
	private deliver(bot: Bot, person: Person, id: string, body: MessageBody): void {
		const mid = this.midOf({ id, messageId: body.messageId });
		this.webhooks.add(bot, person, this.surroundings.now(), {
			messageEcho: { app_id: bot.botId, is_echo: true, mid },
		});
		this.held.push(() => this.arrive(bot, person, id, body));
		this.handOut();
	}

	private arrive(bot: Bot, person: Person, id: string, body: MessageBody): void {
		const at = this.surroundings.now();
		const copy = this.timesReceived(person, body.messageId) + 1;
		const message: StoredMessage = {
			...body,
			...namesOf(person),
			id,
			botName: bot.name,
			deliveredAt: at,
			copy,
			presses: [],
		};
		this.copies.set(keyOf(person.userId, body.messageId), copy);
		this.messages.push(message);
		const chat = keyOf(bot.name, person.userId);
		const mid = this.midOf(message);
		this.lastDelivered.set(chat, mid);
		this.openReplies.delete(chat);
		if (message.quickReplies) this.openReplies.set(chat, message);
		this.webhooks.add(bot, person, at, { delivery: { mids: [mid], watermark: at } });
		this.onChange();
	}

	/** Only what a phone shows can be tapped. */
	private choiceOf(message: StoredMessage, { messageId, button }: PressRequest) {
		if (message.trigger) {
			throw new SandboxError(
				409,
				"An app trigger fires inside the company's app; Diyalog posts no webhook for it.",
			);
		}
		const all = choicesOf(message).map((choice, index) => ({ choice, index }));
		const isCard = message.messageId !== messageId;
		const meant = all.filter(({ choice }) => !isCard || choice.messageId === messageId);
		const found = meant.find(
			({ choice }, position) => choice.title === button || position === button,
		);
		if (!found) {
			const titles = meant.map(({ choice }) => `"${choice.title}"`).join(', ') || 'none';
			throw new SandboxError(404, `There is no button "${button}". Buttons: ${titles}.`);
		}
		const { isDrawn, opensAddress, position } = found.choice;
		if (!isDrawn) {
			throw new SandboxError(
				409,
				`Button ${position} is not on the phone: a phone shows 3. Send fewer, or quick replies.`,
			);
		}
		if (opensAddress) {
			throw new SandboxError(
				409,
				'A web_url button opens its address on the phone; Diyalog posts no webhook for it.',
			);
		}
		const chat = keyOf(message.botName, message.userId);
		if (message.quickReplies && this.openReplies.get(chat) !== message) {
			throw new SandboxError(
				409,
				'The quick replies are gone: they stay until one is tapped or the chat goes on.',
			);
		}
		return found;
	}

	/** The payload as the phone gives it back. */
	private returned(
		person: Person,
		{ payload, messageId, payloadHidden }: Choice,
	): { payload: string; signature?: CustomerAnswer['signature'] } {
		const { signDataUnsupported, replaySignature, otherPhonesKey, forgeSignature } = this.faults;
		if (!payloadHidden) return { payload };
		if (signDataUnsupported) return { payload, signature: 'missing' };
		if (replaySignature) {
			return { payload: this.signedEarlier(person, messageId), signature: 'replayed' };
		}
		const { customerNo, employeeNo } = person;
		const iat = Math.floor(this.surroundings.now() / 1_000);
		const claims = { payload, messageId, customerNo, employeeNo, iat };
		const others: Signer = otherPhonesKey ? 'otherPhone' : 'genuine';
		const signature = forgeSignature ? 'forged' : others;
		return { payload: this.companyApp.signData(person, claims, signature), signature };
	}

	/** The last payload that the phone signed for another message. */
	private signedEarlier({ userId }: Person, messageId: string): string {
		const last = this.answers.findLast(
			(answer) =>
				answer.userId === userId &&
				answer.signature === 'genuine' &&
				answer.messageId !== messageId,
		);
		if (last?.messageId !== undefined) return last.text.slice(bracketed(last.messageId).length);
		throw new SandboxError(
			409,
			'This phone has signed nothing for an earlier message. Let it sign one first.',
		);
	}

	private handOut(): void {
		if (!this.faults.phonesOff) for (const arrive of this.held.splice(0)) arrive();
	}

	private answer(
		bot: Bot,
		person: Person,
		said: Pick<CustomerAnswer, 'text' | 'shown' | 'messageId' | 'signature'>,
	): CustomerAnswer {
		const at = this.surroundings.now();
		const chat = keyOf(bot.name, person.userId);
		// Never the message whose button was pressed, always the last one delivered; "" if none was,
		// a case the documentation does not mention.
		const mid = this.lastDelivered.get(chat) ?? '';
		const id = this.surroundings.newId();
		const answer: CustomerAnswer = { id, ...namesOf(person), botName: bot.name, at, ...said };
		this.answers.push(answer);
		this.openReplies.delete(chat);
		this.webhooks.add(bot, person, at, { message: { mid, text: said.text } });
		this.onChange();
		return answer;
	}

	private midOf(message: Pick<StoredMessage, 'id' | 'messageId'>): string {
		return this.config.ids.mid === 'sender' ? message.messageId : message.id;
	}
}

/** Whether the id is that of the message's template or of one of its cards. */
function isIdInside({ templateMessageId, elements = [] }: StoredMessage, id: string): boolean {
	return templateMessageId === id || elements.some(({ messageId }) => messageId === id);
}

/** What stands before the payload of a press. */
function bracketed(messageId: string): string {
	return `[${messageId}]:`;
}

function keyOf(...parts: string[]): string {
	return JSON.stringify(parts);
}
