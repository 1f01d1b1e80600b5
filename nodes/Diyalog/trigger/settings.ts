import type { INodeProperties, INodePropertyOptions } from 'n8n-workflow';
import type { EventName } from '../events/events';
import { DEFAULT_FRESHNESS_MINUTES } from '../events/freshness';
import { addProblem, check } from '../input/problem';
import { lazily, z } from '../lib/zod';
import { serverConfFields } from './serverConf';

/*
 * The trigger's fields beside the schema that reads them. None takes an expression: n8n would build a V8 isolate to
 * evaluate it, about 50 ms of CPU for every call of Diyalog.
 */

/** The one list of what can start the workflow, in the order of the editor. */
const EVENTS: Readonly<
	Record<EventName, Pick<INodePropertyOptions, 'name' | 'description' | 'action'>>
> = {
	buttonPressed: {
		name: 'Button Pressed',
		description:
			'Somebody pressed a button or a quick reply. The item has its payload and the messageId of the message.',
	},
	messageDelivered: {
		name: 'Message Delivered',
		description: 'A message reached the device',
	},
	messageRead: { name: 'Message Read', description: 'Somebody has seen a message' },
	messageSent: { name: 'Message Sent', description: 'Diyalog has taken a message for delivery' },
	other: {
		name: 'Other',
		description: 'What Diyalog may add later, as it comes',
		action: 'On events that Diyalog adds later',
	},
	statusCallback: {
		name: 'Status Callback',
		action: 'On status callback of an older server',
		description:
			'The older /updatemokstatus call of some servers. It needs the Status Callback Token of the credential.',
	},
	textReceived: { name: 'Text Received', description: 'Somebody wrote a text' },
};

/** What stands below the node on the canvas. Nothing but the editor evaluates it: n8n would need an isolate for every call. */
export const TRIGGER_SUBTITLE = `={{ ((names) => $parameter.events.map((event) => names[event] ?? event).join(', '))(${JSON.stringify(
	Object.fromEntries(Object.entries(EVENTS).map(([value, { name }]) => [value, name])),
)}) }}`;

const eventField: INodeProperties = {
	displayName: 'Events',
	name: 'events',
	type: 'multiOptions',
	noDataExpression: true,
	required: true,
	options: Object.entries(EVENTS).map(([value, event]) => ({ ...event, value })),
	default: ['buttonPressed'],
	description:
		'What starts the workflow. Your choice changes nothing for Send and Wait for Response: its answers and receipts reach their execution. An answer that did not get through starts the workflow too. All other events start nothing.',
};

const authenticationField: INodeProperties = {
	displayName: 'Authentication',
	name: 'authentication',
	type: 'options',
	noDataExpression: true,
	options: [
		{
			name: 'Signature (Recommended)',
			value: 'signature',
			description: 'Take only calls that Diyalog signed with the App Secret',
		},
		{
			name: 'None (Unsafe)',
			value: 'none',
			description: 'Take calls from anybody who knows the URL',
		},
	],
	default: 'signature',
};

const unsafeNotice: INodeProperties = {
	displayName:
		'Unsafe: anybody who knows the URL can forge presses and approvals. Use this only while you build, on a server that nobody else reaches.',
	name: 'unsafeNotice',
	type: 'notice',
	displayOptions: { show: { authentication: ['none'] } },
	default: '',
};

const textList = (
	displayName: string,
	name: string,
	entry: string,
	placeholder: string,
	description: string,
): INodeProperties => ({
	displayName,
	name,
	type: 'string',
	noDataExpression: true,
	typeOptions: { multipleValues: true, multipleValueButtonText: `Add ${entry}` },
	default: [],
	placeholder,
	description,
});

const filterList = (
	displayName: string,
	name: string,
	placeholder: string,
	description: string,
): INodeProperties => textList(displayName, name, displayName, placeholder, description);

const filterField: INodeProperties = {
	displayName: 'Filters',
	name: 'filters',
	type: 'collection',
	placeholder: 'Add Filter',
	default: {},
	description:
		'Only events that fit start an execution. Events without the value of a filter pass this filter. Only Customer Number stops them.',
	options: [
		filterList(
			'Customer Number',
			'customerNumbers',
			'e.g. 70021',
			'Take only events of these customers. Events without a customer number do not pass. Events of employees may have none.',
		),
		{
			displayName: 'Message ID Prefix',
			name: 'messageIdPrefix',
			type: 'string',
			noDataExpression: true,
			default: '',
			placeholder: 'e.g. transfer-',
			description:
				'Take only events of messages whose ID begins like this. For a text, the message that was delivered last counts.',
		},
		filterList(
			'Payload',
			'payloads',
			'e.g. approve',
			'Take only presses with one of these payloads',
		),
		filterList(
			'Webhook ID',
			'webhookIds',
			'e.g. OTP',
			'Take only events of webhooks with one of these ids in server.conf',
		),
	],
};

const optionField: INodeProperties = {
	displayName: 'Options',
	name: 'options',
	type: 'collection',
	placeholder: 'Add Option',
	default: {},
	options: [
		textList(
			'Also Pass On To',
			'alsoPassOnTo',
			'Address',
			'e.g. https://n8n.example/webhook/1c0a…/webhook',
			'Production or Test URLs of up to 10 other Diyalog Triggers of this n8n. They get every call that this trigger does not refuse, whatever its Events and Filters. The other trigger does not pass the call on again. A Test URL takes one call after Execute step.',
		),
		{
			displayName: 'Maximum Age (Minutes)',
			name: 'freshnessMinutes',
			type: 'number',
			noDataExpression: true,
			typeOptions: { minValue: 0 },
			default: DEFAULT_FRESHNESS_MINUTES,
			description:
				'The trigger refuses calls that are older than this, or this far in the future. This stops recorded calls that are played again. 0 takes calls of any age.',
		},
		{
			displayName: 'N8n Address',
			name: 'n8nAddress',
			type: 'string',
			noDataExpression: true,
			default: '',
			placeholder: 'e.g. http://127.0.0.1:5678',
			description:
				'The address at which this n8n reaches itself, to continue an execution that waits for an answer. You need it only if n8n cannot reach its public address, or is not allowed to call it.',
		},
		{
			displayName: 'Only New Status Callbacks',
			name: 'onlyNewStatuses',
			type: 'boolean',
			noDataExpression: true,
			default: false,
			description:
				'Whether to leave out a status callback that says the same as one before: message, customer, status and signed data. Of Approved, Cancelled, Approved it leaves out the last one. If off, the field mayBeRepeated of the item says it.',
		},
		{
			displayName: 'Only Signed Presses',
			name: 'onlySigned',
			type: 'boolean',
			noDataExpression: true,
			default: false,
			description:
				'Whether to take only presses with a valid signature of the device. This counts for waiting executions too. The credential says how to check.',
		},
		{
			displayName: 'Only Unmatched',
			name: 'onlyUnmatched',
			type: 'boolean',
			noDataExpression: true,
			default: false,
			description:
				'Whether to leave out answers that Send and Wait for Response has used. Wrong codes and counted answers of several people are left out too.',
		},
		{
			displayName: 'Reply to Late Answers',
			name: 'lateAnswerReply',
			type: 'string',
			noDataExpression: true,
			default: '',
			placeholder: 'e.g. This question is closed.',
			description:
				'The reply to a person who answers a question that is over. Each person gets it once for each question. If empty, none is sent.',
		},
	],
};

/** The fields of the trigger, in the order the editor shows them. */
export const triggerFields: INodeProperties[] = [
	eventField,
	authenticationField,
	unsafeNotice,
	...serverConfFields,
	filterField,
	optionField,
];

/** What a field holds; of another type only in a workflow that was made by hand. */
const setting = <T>(schema: z.ZodType<T>, fallback: T, problem: string, advice: string) =>
	z
		.unknown()
		.optional()
		.transform((entered, context): T => {
			if (entered === undefined) return fallback;
			const { success, data } = schema.safeParse(entered);
			return success ? data : addProblem(context, problem, advice);
		});

const minutes = lazily(() =>
	setting(
		z.number().min(0),
		DEFAULT_FRESHNESS_MINUTES,
		'is not a number of minutes',
		'Enter a number, e.g. 15, or 0 for any age.',
	),
);

const text = lazily(() =>
	setting(z.string(), '', 'is not a text', 'Enter it anew, or remove the option.'),
);

const trimmed = lazily(() => text().transform((value) => value.trim()));

const onOrOff = lazily(() =>
	setting(z.boolean(), false, 'is neither on nor off', 'Turn it on or off, or remove the option.'),
);

const texts = lazily(() =>
	setting(
		z.array(z.coerce.string()),
		[],
		'is not a list',
		'Enter each value in a row of its own, or remove the option.',
	).transform((values) => values.map((value) => value.trim()).filter((value) => value !== '')),
);

const eventName = lazily(() =>
	z.custom<EventName>((value) => typeof value === 'string' && Object.hasOwn(EVENTS, value)),
);

const settingsSchema = lazily(() =>
	z.object({
		events: z.array(eventName()),
		authentication: z.enum(['signature', 'none']),
		filters: z
			.object({
				customerNumbers: texts(),
				messageIdPrefix: text(),
				payloads: texts(),
				webhookIds: texts(),
			})
			.prefault({}),
		options: z
			.object({
				freshnessMinutes: minutes(),
				n8nAddress: trimmed(),
				lateAnswerReply: trimmed(),
				onlyNewStatuses: onOrOff(),
				onlySigned: onOrOff(),
				onlyUnmatched: onOrOff(),
				alsoPassOnTo: texts(),
			})
			.prefault({}),
	}),
);

/** The trigger's parameters, checked. */
export type TriggerSettings = z.output<ReturnType<typeof settingsSchema>>;

/** What has the trigger's parameters. */
interface Parameters {
	getNodeParameter(name: string): unknown;
}

/** Why a trigger cannot take calls: what is wrong, and what to do. */
export interface Problem {
	title: string;
	advice: string;
}

/** n8n gives no value for an expression that fails. */
const UNREADABLE: Problem = {
	title: 'A setting cannot be read',
	advice: 'Look for an expression among the settings, and enter a value in its place.',
};

/**
 * Reads the trigger's parameters. Each call has them checked as activation does: a workflow that was imported as published may hold
 * what the editor does not offer.
 *
 * @returns the settings, or what is wrong with them; never throws
 */
export function readTriggerSettings(
	context: Parameters,
): { ok: true; value: TriggerSettings } | ({ ok: false } & Problem) {
	try {
		const entered = {
			events: context.getNodeParameter('events'),
			authentication: context.getNodeParameter('authentication'),
			filters: context.getNodeParameter('filters'),
			options: context.getNodeParameter('options'),
		};
		const checked = check(settingsSchema(), entered, triggerFields);
		if (checked.valid) return { ok: true, value: checked.input };
		const { field, problem, advice } = checked.problem;
		return { ok: false, title: `${field} ${problem}`, advice };
	} catch {
		return { ok: false, ...UNREADABLE };
	}
}

/** What is no text is no secret: it fits nothing. */
const secret = lazily(() => z.string().catch(''));

const credentialSchema = lazily(() =>
	z.object({
		appSecret: secret(),
		previousAppSecret: secret(),
		statusCallbackToken: secret(),
	}),
);

/** What of the credential the trigger needs to authenticate calls; missing ones are empty. */
export type TriggerSecrets = z.output<ReturnType<typeof credentialSchema>>;

/** Reads the secrets from a decrypted credential. */
export const readTriggerSecrets = (credential: unknown): TriggerSecrets =>
	credentialSchema().parse(credential);
