import type { WorkflowDefinition } from '../../../tools/n8n/n8n';

/** What a sending node needs to reach the server. */
export interface Target {
	baseUrl: string;
	botToken: string;
	/** of a Diyalog credential with the two */
	credentialId: string;
}

/** One way to send many messages from n8n. */
export interface Variant {
	key:
		| 'oneByOne'
		| 'default'
		| 'wide'
		| 'httpFields'
		| 'otpJson'
		| 'httpOtpJson'
		| 'messageJson'
		| 'httpMessageJson';
	label: string;
	/** the most requests that may be in flight; Infinity where the node promises nothing */
	limit: number;
	/** the node that sends, without name and place */
	sendingNode(target: Target): Readonly<Record<string, unknown>>;
}

const DEFAULT_CONCURRENCY = 50;
const WIDE_CONCURRENCY = 200;

/** The same message from all nodes: a one-time password with four values that differ from item to item. */
const MESSAGE = 'Your one-time password is {{ $json.code }}. Do not share it with anyone.';
const TX_CODE = 'LOGIN';

const diyalogNode =
	(parameters: Readonly<Record<string, unknown>>): Variant['sendingNode'] =>
	({ credentialId }) => ({
		type: 'n8n-nodes-diyalog.diyalog',
		typeVersion: 1,
		credentials: { diyalogApi: { id: credentialId, name: 'Diyalog' } },
		parameters: { operation: 'send', ...parameters },
	});

/** An OTP with a field for each value. */
const otpFields = (options: Readonly<Record<string, unknown>>): Variant['sendingNode'] =>
	diyalogNode({
		resource: 'otp',
		customerNo: '={{ $json.customerNo }}',
		message: `=${MESSAGE}`,
		otpMode: 'given',
		otpValue: '={{ $json.code }}',
		options: { messageId: '={{ $json.messageId }}', txCode: TX_CODE, ...options },
	});

const BODY: Readonly<Record<string, string>> = {
	customerNo: '{{ $json.customerNo }}',
	messageId: '{{ $json.messageId }}',
	mokMessage: MESSAGE,
	mokValue: '{{ $json.code }}',
	txCode: TX_CODE,
};

const MESSAGE_BODY = {
	recipient: { appCustomerId: '{{ $json.customerNo }}' },
	message: {
		messageId: '{{ $json.messageId }}',
		text: MESSAGE,
		quickReplies: [],
		quickRepliesV2: [],
	},
};

const httpRequestNode =
	(path: string, body: Readonly<Record<string, unknown>>): Variant['sendingNode'] =>
	({ baseUrl, botToken }) => ({
		type: 'n8n-nodes-base.httpRequest',
		typeVersion: 4.2,
		parameters: {
			method: 'POST',
			url: `${baseUrl}/v1/bots/${path}/${botToken}`,
			sendBody: true,
			...body,
			options: {},
		},
	});

/** A field for each value, as it is clicked together, and as many expressions as in the Diyalog node. */
const asFields = {
	specifyBody: 'keypair',
	bodyParameters: {
		parameters: Object.entries(BODY).map(([name, value]) => ({
			name,
			value: value.includes('{{') ? `=${value}` : value,
		})),
	},
};

/** A whole body as one JSON text, which n8n evaluates as a single expression. A quote in a value would break it. */
const oneExpression = (body: object): string => `=${JSON.stringify(body)}`;

const asJson = (body: object) => ({ specifyBody: 'json', jsonBody: oneExpression(body) });

/** What is compared. */
export const variants: Readonly<Record<Variant['key'], Variant>> = {
	oneByOne: {
		key: 'oneByOne',
		label: 'Diyalog, one by one',
		limit: 1,
		sendingNode: otpFields({ concurrency: 1 }),
	},
	default: {
		key: 'default',
		label: `Diyalog, ${DEFAULT_CONCURRENCY} at once (default)`,
		limit: DEFAULT_CONCURRENCY,
		// Left alone, so that what is measured is what people get.
		sendingNode: otpFields({}),
	},
	wide: {
		key: 'wide',
		label: `Diyalog, ${WIDE_CONCURRENCY} at once`,
		limit: WIDE_CONCURRENCY,
		sendingNode: otpFields({ concurrency: WIDE_CONCURRENCY }),
	},
	httpFields: {
		key: 'httpFields',
		label: 'HTTP Request node, body as fields',
		limit: Infinity,
		sendingNode: httpRequestNode('sendmok', asFields),
	},
	otpJson: {
		key: 'otpJson',
		label: 'Diyalog, whole OTP as one JSON expression',
		limit: DEFAULT_CONCURRENCY,
		sendingNode: diyalogNode({
			resource: 'otp',
			specifyMessage: 'json',
			otpMode: 'given',
			messageJson: oneExpression(BODY),
		}),
	},
	httpOtpJson: {
		key: 'httpOtpJson',
		label: 'HTTP Request node, OTP as one JSON expression',
		limit: Infinity,
		sendingNode: httpRequestNode('sendmok', asJson(BODY)),
	},
	messageJson: {
		key: 'messageJson',
		label: 'Diyalog, whole message as one JSON expression',
		limit: DEFAULT_CONCURRENCY,
		sendingNode: diyalogNode({
			resource: 'message',
			specifyMessage: 'json',
			messageJson: oneExpression(MESSAGE_BODY),
		}),
	},
	httpMessageJson: {
		key: 'httpMessageJson',
		label: 'HTTP Request node, message as one JSON expression',
		limit: Infinity,
		sendingNode: httpRequestNode('sendmessage', asJson(MESSAGE_BODY)),
	},
};

/** The input: one object for each message. */
export const makeItems = (count: number) =>
	Array.from({ length: count }, (_, index) => ({
		customerNo: String(70_000 + index),
		code: String(100_000 + index),
		messageId: `login-${index}`,
	}));

/** The name of the node whose work is measured. */
export const SENDING_NODE = 'Send';

/**
 * A workflow that sends the `items` of what is posted to its webhook, and answers when all are sent.
 *
 * @param webhookPath the path below `/webhook/`
 */
export function sendingWorkflow(
	variant: Variant,
	target: Target,
	webhookPath: string,
): WorkflowDefinition {
	const receive = {
		name: 'Receive',
		type: 'n8n-nodes-base.webhook',
		typeVersion: 2,
		webhookId: webhookPath,
		parameters: { httpMethod: 'POST', path: webhookPath, responseMode: 'lastNode', options: {} },
	};
	const split = {
		name: 'Split',
		type: 'n8n-nodes-base.splitOut',
		typeVersion: 1,
		parameters: { fieldToSplitOut: 'body.items', options: {} },
	};
	const nodes = [receive, split, { name: SENDING_NODE, ...variant.sendingNode(target) }];
	const to = (node: string) => ({ main: [[{ node, type: 'main', index: 0 }]] });
	return {
		name: webhookPath,
		nodes: nodes.map((node, index) => ({
			id: `${webhookPath}-${index}`,
			position: [index * 220, 0],
			...node,
		})),
		connections: { [receive.name]: to(split.name), [split.name]: to(SENDING_NODE) },
	};
}
