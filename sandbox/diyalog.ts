import { randomBytes } from 'node:crypto';
import type { Bot, Customer, Faults, SandboxConfig } from './config';
import { botNotAlive, parseOtp, unknownCustomer, wrongToken } from './sendmok';
import type { Otp, OtpButton } from './sendmok';
import { CompanyApp } from './signData';
import { WebhookSender } from './webhooks';

/** A message as it reached the customer's phone. Sent twice, it is there twice. */
export interface StoredMessage extends Otp {
	/** Diyalog's own id: tells two copies of one messageId apart. */
	id: string;
	botName: string;
	userId: string;
	deliveredAt: number;
	readAt?: number;
	/** How many times the customer has got this messageId so far, this one included. */
	copy: number;
	/** Indexes into buttonsV2, in the order of the presses. */
	presses: number[];
}

/** What the customer did: the right-hand side of the chat. */
export interface CustomerAnswer {
	id: string;
	customerNo: string;
	botName: string;
	/** As the customer sees it. */
	shown: string;
	/** As the webhook carries it. */
	text: string;
	at: number;
	/** Of a payloadHidden button. */
	signature?: 'genuine' | 'forged';
}

/** A request to the sandbox that cannot be met: `status` is for its HTTP interface. */
export class SandboxError extends Error {
	constructor(
		readonly status: number,
		text: string,
	) {
		super(text);
	}
}

export interface PressRequest {
	messageId: string;
	/** Title or index of the button. */
	button: string | number;
	/** Needed when several customers have the messageId; otherwise the newest message is meant. */
	customerNo?: string;
	/** Diyalog's id, when one certain copy is meant. */
	id?: string;
}

export interface TypeRequest {
	customerNo: string;
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

/** What happens on a Diyalog server and on its customers' phones; HTTP is in server.ts. */
export class Diyalog {
	readonly messages: StoredMessage[] = [];
	readonly answers: CustomerAnswer[] = [];
	readonly faults: Faults = {
		duplicates: false,
		delayMs: 0,
		outOfOrder: false,
		unreachable: false,
		forgeSignature: false,
	};
	readonly webhooks: WebhookSender;
	readonly companyApp: CompanyApp;
	private readonly copies = new Map<string, number>();
	/** Per bot and customer: what message.mid of an answer refers to. */
	private readonly lastDelivered = new Map<string, string>();

	constructor(
		readonly config: SandboxConfig,
		private readonly surroundings: Surroundings,
		private readonly onChange: () => void,
	) {
		this.companyApp = new CompanyApp(config.signData);
		this.webhooks = new WebhookSender(config, this.faults, surroundings.now, onChange);
	}

	/** SendOTP. Throws a Refusal in the documented words; the token is looked at before anything else. */
	sendOtp(token: string, contentType: string | undefined, rawBody: unknown) {
		const bot = this.config.bots.find((candidate) => candidate.token === token);
		if (!bot) throw wrongToken();
		const otp = parseOtp(contentType, rawBody);
		if (!bot.active) throw botNotAlive();
		const customer = this.config.customers.find((each) => each.customerNo === otp.customerNo);
		if (!customer) throw unknownCustomer();
		const message = this.deliver(bot, customer, otp);
		return {
			recipient_id: customer.userId,
			message_id: this.config.ids.answer === 'sender' ? otp.messageId : message.id,
		};
	}

	timesReceived(customerNo: string, messageId: string): number {
		return this.copies.get(keyOf(customerNo, messageId)) ?? 0;
	}

	/** Presses a postback button; the customer may do so again and again. */
	press(request: PressRequest): CustomerAnswer {
		const message = this.messages.findLast(
			(each) =>
				each.messageId === request.messageId &&
				(request.customerNo === undefined || each.customerNo === request.customerNo) &&
				(request.id === undefined || each.id === request.id),
		);
		if (!message) {
			throw new SandboxError(404, `No customer has got a message "${request.messageId}".`);
		}
		const buttons = message.buttonsV2 ?? [];
		const index = buttons.findIndex(
			(button, position) => button.title === request.button || position === request.button,
		);
		const button = buttons[index];
		if (!button) {
			const titles = buttons.map(({ title }) => `"${title}"`).join(', ') || 'none';
			throw new SandboxError(404, `There is no button "${request.button}". Buttons: ${titles}.`);
		}
		if (button.type === 'web_url') {
			throw new SandboxError(
				409,
				'A web_url button opens its address on the phone; Diyalog posts no webhook for it.',
			);
		}
		message.presses.push(index);
		const forged = this.faults.forgeSignature;
		const payload = button.payloadHidden ? this.signed(message, button, forged) : button.payload;
		return this.answer(this.bot(message.botName), this.customer(message.customerNo), {
			text: `[${message.messageId}]:${payload}`,
			shown: button.payloadSeenByUser ?? button.payload,
			...(button.payloadHidden && { signature: forged ? 'forged' : 'genuine' }),
		});
	}

	typeText({ customerNo, text, botName }: TypeRequest): CustomerAnswer {
		const customer = this.customer(customerNo);
		const lastBotName = this.messages.findLast((each) => each.customerNo === customerNo)?.botName;
		const bot = this.bot(botName ?? lastBotName ?? this.config.bots[0]?.name ?? '');
		return this.answer(bot, customer, { text, shown: text });
	}

	/** The customer sees the chat: everything unread becomes read, one event per bot. */
	markRead(customerNo: string): StoredMessage[] {
		const customer = this.customer(customerNo);
		const readAt = this.surroundings.now();
		const unread = this.messages.filter(
			(each) => each.customerNo === customerNo && each.readAt === undefined,
		);
		for (const message of unread) message.readAt = readAt;
		for (const bot of this.config.bots) {
			const own = unread.filter((message) => message.botName === bot.name);
			const mids = own.map((message) => this.midOf(message));
			if (mids.length === 0) continue;
			this.webhooks.add(bot, customer, readAt, { reads: { mids, watermark: readAt } });
		}
		if (unread.length > 0) this.onChange();
		return unread;
	}

	bot(name: string): Bot {
		const bot = this.config.bots.find((candidate) => candidate.name === name);
		if (!bot) throw new SandboxError(404, `There is no bot "${name}".`);
		return bot;
	}

	private customer(customerNo: string): Customer {
		const customer = this.config.customers.find((each) => each.customerNo === customerNo);
		if (!customer) throw new SandboxError(404, `There is no customer "${customerNo}".`);
		return customer;
	}

	private deliver(bot: Bot, customer: Customer, otp: Otp): StoredMessage {
		const at = this.surroundings.now();
		const copy = this.timesReceived(customer.customerNo, otp.messageId) + 1;
		const message: StoredMessage = {
			...otp,
			id: this.surroundings.newId(),
			botName: bot.name,
			userId: customer.userId,
			deliveredAt: at,
			copy,
			presses: [],
		};
		this.copies.set(keyOf(customer.customerNo, otp.messageId), copy);
		this.messages.push(message);
		const mid = this.midOf(message);
		this.lastDelivered.set(keyOf(bot.name, customer.customerNo), mid);
		this.webhooks.add(bot, customer, at, {
			messageEcho: { app_id: bot.botId, is_echo: true, mid },
		});
		this.webhooks.add(bot, customer, at, { delivery: { mids: [mid], watermark: at } });
		this.onChange();
		return message;
	}

	private answer(
		bot: Bot,
		customer: Customer,
		said: Pick<CustomerAnswer, 'text' | 'shown' | 'signature'>,
	): CustomerAnswer {
		const at = this.surroundings.now();
		// Never the message whose button was pressed, always the last one delivered; "" if none was,
		// a case the documentation does not mention.
		const mid = this.lastDelivered.get(keyOf(bot.name, customer.customerNo)) ?? '';
		const { customerNo } = customer;
		const id = this.surroundings.newId();
		const answer: CustomerAnswer = { id, customerNo, botName: bot.name, at, ...said };
		this.answers.push(answer);
		this.webhooks.add(bot, customer, at, { message: { mid, text: said.text } });
		this.onChange();
		return answer;
	}

	private signed(message: StoredMessage, { payload }: OtpButton, forged: boolean): string {
		const { messageId, customerNo } = message;
		const iat = Math.floor(this.surroundings.now() / 1_000);
		return this.companyApp.signData({ payload, messageId, customerNo, iat }, forged);
	}

	private midOf(message: StoredMessage): string {
		return this.config.ids.mid === 'sender' ? message.messageId : message.id;
	}
}

function keyOf(...parts: string[]): string {
	return JSON.stringify(parts);
}
