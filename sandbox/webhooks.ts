import { createHmac } from 'node:crypto';
import { z } from 'zod';
import type { Bot, Faults, SandboxConfig } from './config';
import { later, pause } from './host';
import type { People, Person } from './people';

const RECEIVER_TIMEOUT_MS = 30_000;
const KEPT_ANSWER_CHARACTERS = 2_000;

/** The four events of Diyalog's webhook, and the subscription that each one needs. */
export type EventData =
	| { messageEcho: { app_id: string; is_echo: true; mid: string } }
	| { delivery: { mids: string[]; watermark: number } }
	| { reads: { mids: string[]; watermark: number } }
	| { message: { mid: string; text: string } };

function subscriptionOf(data: EventData): Bot['webhook']['subscribedEvents'][number] {
	if ('messageEcho' in data) return 'MessageEchoes';
	if ('delivery' in data) return 'MessageDeliveries';
	return 'reads' in data ? 'MessageReads' : 'Messages';
}

interface QueuedEvent {
	person: Person;
	happenedAt: number;
	data: EventData;
}

/** One POST to a webhook URL, exactly as it was sent, and what came back. */
export interface WebhookDelivery {
	id: number;
	botName: string;
	url: string;
	sentAt: number;
	eventCount: number;
	signature: string;
	body: string;
	/** The receiver's answer; absent while waiting for it and after a network error. */
	status?: number;
	answer?: string;
	/** Why there is no answer. */
	error?: string;
	durationMs?: number;
}

interface Outbox {
	events: QueuedEvent[];
	callOff?: () => void;
}

/** Gathers events per bot, posts them signed and in batches, and never repeats a post by itself. */
export class WebhookSender {
	readonly log: WebhookDelivery[] = [];
	private readonly outboxes = new Map<Bot, Outbox>();
	private readonly underWay = new Set<Promise<void>>();
	private readonly closing = new AbortController();

	constructor(
		private readonly config: SandboxConfig,
		private readonly people: People,
		private readonly faults: Faults,
		private readonly now: () => number,
		private readonly onChange: () => void,
	) {}

	/** Events that have gathered and are not yet on their way. */
	get waiting(): number {
		return [...this.outboxes.values()].reduce((sum, outbox) => sum + outbox.events.length, 0);
	}

	add(bot: Bot, person: Person, happenedAt: number, data: EventData): void {
		if (!bot.webhook.subscribedEvents.includes(subscriptionOf(data))) return;
		const outbox = this.outboxOf(bot);
		outbox.events.push({ person, happenedAt, data });
		const { maxEvents, maxWaitMs } = this.config.batch;
		if (outbox.events.length >= maxEvents && !this.faults.outOfOrder) this.send(bot);
		else outbox.callOff ??= later(maxWaitMs, () => this.send(bot));
	}

	/** Sends what has gathered and waits until everything under way is answered. */
	async flush(): Promise<void> {
		for (const bot of this.outboxes.keys()) this.send(bot);
		while (this.underWay.size > 0) await Promise.all(this.underWay);
	}

	/** Posts the same bytes once more, as a Diyalog that repeats itself would. */
	async resend(deliveryId: number): Promise<WebhookDelivery | undefined> {
		const earlier = this.log.find((delivery) => delivery.id === deliveryId);
		const bot = this.config.bots.find((candidate) => candidate.name === earlier?.botName);
		if (!earlier || !bot) return undefined;
		return await this.post(bot, earlier.body, earlier.eventCount);
	}

	async close(): Promise<void> {
		for (const outbox of this.outboxes.values()) outbox.callOff?.();
		this.outboxes.clear();
		this.closing.abort();
		await Promise.all(this.underWay);
	}

	private outboxOf(bot: Bot): Outbox {
		const outbox = this.outboxes.get(bot) ?? { events: [] };
		this.outboxes.set(bot, outbox);
		return outbox;
	}

	private send(bot: Bot): void {
		const outbox = this.outboxOf(bot);
		outbox.callOff?.();
		outbox.callOff = undefined;
		const events = outbox.events.splice(0);
		if (this.faults.outOfOrder) events.reverse();
		while (events.length > 0) {
			const task = this.deliver(bot, events.splice(0, this.config.batch.maxEvents));
			this.underWay.add(task);
			void task.finally(() => this.underWay.delete(task));
		}
	}

	private async deliver(bot: Bot, events: QueuedEvent[]): Promise<void> {
		const body = this.envelope(bot, events);
		const times = this.faults.duplicates ? 2 : 1;
		await pause(this.faults.delayMs, this.closing.signal);
		for (let time = 0; time < times; time++) await this.post(bot, body, events.length);
	}

	private envelope(bot: Bot, events: QueuedEvent[]): string {
		const time = this.now();
		const entry = events.map(({ person, happenedAt, data }) => ({
			id: bot.webhook.id,
			time,
			messaging: [
				{
					// Also when it was the person who wrote.
					sender: { id: bot.botId },
					recipient: this.people.inEvents(person, this.faults),
					timestamp: happenedAt,
					...data,
				},
			],
		}));
		// app_id is documented as a string and shown as a number in every example. A 64-bit number does
		// not survive JSON.stringify, so its quotes go afterwards; inside a text they would be escaped.
		return JSON.stringify({ object: 'dialog', entry }).replace(
			/"app_id":"(-?\d+)"/g,
			'"app_id":$1',
		);
	}

	private sign(bot: Bot, body: string): string {
		const { encoding, prefix } = this.config.signature;
		const hmac = createHmac('sha1', bot.webhook.appSecret).update(body, 'utf8');
		if (encoding === 'base64') return prefix + hmac.digest('base64');
		const hex = hmac.digest('hex');
		return prefix + (encoding === 'HEX' ? hex.toUpperCase() : hex);
	}

	private async post(bot: Bot, body: string, eventCount: number): Promise<WebhookDelivery> {
		const url = bot.webhook.url ?? '';
		const sentAt = this.now();
		const signature = this.sign(bot, body);
		const id = this.log.length + 1;
		const delivery: WebhookDelivery = {
			id,
			botName: bot.name,
			url,
			sentAt,
			eventCount,
			signature,
			body,
		};
		this.log.push(delivery);
		this.onChange();
		const startedAt = performance.now();
		if (this.closing.signal.aborted) delivery.error = 'The sandbox was closed before sending.';
		else if (!url)
			delivery.error = `Bot "${bot.name}" has no webhook URL. Set one to receive this.`;
		else if (this.faults.unreachable) delivery.error = 'Unreachable (switched on): not sent.';
		else await this.exchange(delivery);
		delivery.durationMs = Math.round(performance.now() - startedAt);
		this.onChange();
		return delivery;
	}

	private async exchange(delivery: WebhookDelivery): Promise<void> {
		try {
			const response = await fetch(delivery.url, {
				method: 'POST',
				headers: { 'content-type': 'application/json', 'x-signature': delivery.signature },
				body: delivery.body,
				redirect: 'manual',
				signal: AbortSignal.any([this.closing.signal, AbortSignal.timeout(RECEIVER_TIMEOUT_MS)]),
			});
			const answer = await response.text();
			delivery.status = response.status;
			delivery.answer = answer.slice(0, KEPT_ANSWER_CHARACTERS);
		} catch (error) {
			delivery.error = reasonOf(error);
		}
	}
}

// Not instanceof Error: under jest, fetch belongs to another realm.
const errorSchema = z.object({ message: z.string(), cause: z.unknown() });

/** fetch hides what happened in the cause of its "fetch failed". */
function reasonOf(error: unknown): string {
	const { data } = errorSchema.safeParse(error);
	return data?.cause ? reasonOf(data.cause) : (data?.message ?? String(error));
}
