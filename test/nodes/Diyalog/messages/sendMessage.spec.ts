import type { INodeProperties } from 'n8n-workflow';
import type { z } from 'zod/v4';
import { resources } from '../../../../nodes/Diyalog/actions';
import { check } from '../../../../nodes/Diyalog/input/problem';
import {
	appTriggerSchema,
	carouselSchema,
	questionSchema,
	sendSchema,
} from '../../../../nodes/Diyalog/messages/messageInput';
import type { MessageInput } from '../../../../nodes/Diyalog/messages/messageInput';
import { toMessageBody } from '../../../../nodes/Diyalog/messages/sendMessage';
import { documentedJson } from '../../../support/fixtures';

const fieldsOf = (operation: string): readonly INodeProperties[] =>
	resources
		.find(({ value }) => value === 'message')
		?.operations.find(({ value }) => value === operation)?.fields ?? [];

type Raw = Readonly<Record<string, unknown>>;

const CUSTOMER = { recipientType: 'customer', customerNo: '70021' };

function checked(operation: string, schema: z.ZodType<MessageInput>, raw: Raw) {
	return check(schema, { ...CUSTOMER, ...raw }, fieldsOf(operation));
}

function bodyOf(operation: string, schema: z.ZodType<MessageInput>, raw: Raw) {
	const result = checked(operation, schema, raw);
	if (!result.valid) throw new Error(JSON.stringify(result.problem));
	const { recipient, content, messageId = 'fresh-id' } = result.input;
	return toMessageBody(recipient, content, messageId);
}

const sent = (raw: Raw) => bodyOf('send', sendSchema(raw), raw);

function refusal(operation: string, schema: z.ZodType<MessageInput>, raw: Raw): string {
	const result = checked(operation, schema, raw);
	if (result.valid) throw new Error('This input should not have been accepted');
	expect(result.problem.advice).toMatch(/\.$/);
	return `${result.problem.field} ${result.problem.problem}`;
}

const refused = (raw: Raw) => refusal('send', sendSchema(raw), raw);

const whole = (messageJson: unknown) => ({ specifyMessage: 'json', messageJson });

const KINDS = [
	'sendmessage-text.json',
	'sendmessage-quickreplies.json',
	'sendmessage-buttontemplate.json',
	'sendmessage-generictemplate.json',
	'sendmessage-document.corrected.json',
	'sendmessage-triggerapp.json',
];

describe('the documented examples, byte for byte, their layout aside', () => {
	it.each(KINDS)('%s as an object', (name) => {
		const example = documentedJson(name);
		expect(JSON.stringify(sent(whole(example)))).toBe(JSON.stringify(example));
	});

	it.each(KINDS)('%s as text', (name) => {
		const example = JSON.stringify(documentedJson(name));
		expect(JSON.stringify(sent(whole(example)))).toBe(example);
	});

	it('from fields: a text', () => {
		const fields = { below: 'nothing', message: 'Hello world !', customerNo: '1231232' };
		const body = sent({ ...fields, options: { messageId: 'messageId-1' } });
		expect(JSON.stringify(body)).toBe(JSON.stringify(documentedJson('sendmessage-text.json')));
	});

	it('from fields: buttons', () => {
		const button = [
			{
				type: 'postback',
				title: 'Send Me Receipt',
				payload: '211',
				payloadHidden: true,
				payloadSeenByUser: 'Send me receipt',
			},
			{
				type: 'postback',
				title: 'Cancel Transaction',
				payload: '212',
				payloadHidden: true,
				payloadSeenByUser: 'Cancel my transaction',
			},
			{ type: 'web_url', title: 'New Transaction', payload: 'https://dlgmessenger.com' },
		];
		const body = sent({
			customerNo: 123456789,
			message: 'How can I help you?',
			below: 'buttons',
			buttons: { button },
			options: { messageId: 'messageId-1' },
		});
		const example = documentedJson('sendmessage-buttontemplate.json');
		// The documented one has the same payload twice: nobody could tell which button was pressed.
		expect(JSON.stringify(body).replace('212', '211')).toBe(JSON.stringify(example));
	});

	it('from fields: an app trigger', () => {
		const body = bodyOf('sendAppTrigger', appTriggerSchema(), {
			customerNo: '70023',
			message: 'Please click this message to approve your transaction',
			command: 'ApproveTransaction',
			data: '{custNo:2337368}',
			options: { messageId: 'messageId-5566112' },
		});
		const example = documentedJson('sendmessage-triggerapp.json');
		expect(JSON.stringify(body)).toBe(JSON.stringify(example));
	});

	it('from data: a carousel, but for what is off', () => {
		const { message } = documentedJson('sendmessage-generictemplate.json') as {
			message: { attachment: { payload: { elements: Array<Record<string, unknown>> } } };
		};
		const cardsJson = message.attachment.payload.elements.map(({ buttonsV2, ...card }) => ({
			...card,
			buttons: buttonsV2,
		}));
		const body = bodyOf('sendCarousel', carouselSchema(), {
			customerNo: '123456789',
			cardsJson,
			options: { messageId: 'messageId-1' },
		});
		const example = documentedJson('sendmessage-generictemplate.json');
		expect(JSON.stringify(body)).toBe(JSON.stringify(example));
	});
});

describe('recipients', () => {
	it.each([
		[{ recipientType: 'customer', customerNo: 70021 }, { appCustomerId: '70021' }],
		[{ recipientType: 'employee', employeeNo: ' E100 ' }, { appStaffId: 'E100' }],
		[{ recipientType: 'user', userId: '9007199254740993' }, { id: '9007199254740993' }],
	])('%j', (fields, recipient) => {
		expect(sent({ ...fields, below: 'nothing', message: 'Hi' })).toMatchObject({ recipient });
	});

	it.each([
		[{ recipientType: 'customer', customerNo: '' }, 'Customer Number is empty'],
		[{ recipientType: 'employee', employeeNo: ' ' }, 'Employee Number is empty'],
		[
			{ recipientType: 'user', userId: 2 ** 60 },
			'Diyalog User ID is a number too large to be exact',
		],
	])('%j is refused', (fields, sentence) => {
		expect(refused({ ...fields, below: 'nothing', message: 'Hi' })).toBe(sentence);
	});
});

describe('lists from data', () => {
	const buttons = (buttonsJson: unknown) => ({ below: 'buttons', message: 'Hi', buttonsJson });
	const replies = (quickRepliesJson: unknown) => ({
		below: 'quickReplies',
		message: 'Hi',
		quickRepliesJson,
	});

	it('texts and objects become buttons', () => {
		const given = [
			'Yes',
			{ title: 'No', value: 'no' },
			{ title: 'Help', url: 'https://www.example.com' },
		];
		const expected = [
			{ type: 'postback', title: 'Yes', payload: 'Yes' },
			{ type: 'postback', title: 'No', payload: 'no', payloadSeenByUser: 'No' },
			{ type: 'web_url', title: 'Help', payload: 'https://www.example.com' },
		];
		for (const form of [given, JSON.stringify(given)]) {
			expect(JSON.parse(JSON.stringify(sent(buttons(form))))).toMatchObject({
				message: { attachment: { payload: { buttonsV2: expected } } },
			});
		}
	});

	it('eleven quick replies', () => {
		const given = Array.from({ length: 11 }, (_, index) => index);
		expect(sent(replies(given))).toMatchObject({
			message: { quickRepliesV2: given.map((each) => ({ title: String(each) })) },
		});
	});

	it.each<[Raw, string]>([
		[
			buttons(Array.from({ length: 10 }, String)),
			'Buttons (JSON) has 10 buttons, and a phone shows 3',
		],
		[buttons([]), 'Buttons has no buttons'],
		[buttons(''), 'Buttons has no buttons'],
		[buttons('{'), 'Buttons (JSON) is not JSON'],
		[buttons({ title: 'Yes' }), 'Buttons (JSON) is not a list'],
		[buttons([7.5, null]), 'Buttons (JSON) 2 is neither a text nor an object'],
		[buttons([{ value: 'x' }]), 'Buttons (JSON) 1: title is empty'],
		[buttons([{ title: 'A', valeu: 'x' }]), 'Buttons (JSON) 1 has a name that is not known: valeu'],
		[buttons([{ title: 'A', value: 'x', url: 'y' }]), 'Buttons (JSON) 1 has both value and url'],
		[
			buttons([{ title: 'A', url: 'javascript:x' }]),
			'Buttons (JSON) 1: payload is not a web address',
		],
		[
			buttons([{ title: '{name}' }]),
			'Buttons (JSON) 1: title contains a name in braces for which there is no value',
		],
		[buttons([{ title: { a: 1 } }]), 'Buttons (JSON) 1: title is not a text'],
		[replies(Array.from({ length: 12 }, String)), 'Quick Replies has 12 quick replies'],
		[replies([]), 'Quick Replies has 0 quick replies'],
		[replies([{ title: 'A', url: 'https://x.example' }]), 'Quick Replies (JSON) 1 has an address'],
	])('%j is refused', (raw, sentence) => {
		expect(refused(raw)).toBe(sentence);
	});

	it.each<[unknown, string]>([
		[[], 'Cards has 0 cards'],
		[Array.from({ length: 11 }, () => ({ title: 'A' })), 'Cards has 11 cards'],
		[[{}], 'Cards (JSON) 1 is empty'],
		[[{ titel: 'A' }], 'Cards (JSON) 1 has a name that is not known: titel'],
		[
			[{ title: 'A', buttons: ['1', '2', '3', '4'] }],
			'Cards (JSON) 1: buttons has 4 buttons, and a phone shows 3',
		],
		[[{ title: 'A', imageUrl: 'file:///etc' }], 'Cards (JSON) 1: imageUrl is not a web address'],
	])('cards %j are refused', (cardsJson, sentence) => {
		expect(refusal('sendCarousel', carouselSchema(), { cardsJson })).toBe(sentence);
	});
});

describe('a whole message as JSON', () => {
	const recipient = { id: '1' };
	const message = { text: 'Hi' };

	it('what Diyalog wants to see and is empty may be left out', () => {
		expect(sent(whole({ recipient, message }))).toEqual({
			recipient,
			message: { messageId: 'fresh-id', text: 'Hi', quickReplies: [], quickRepliesV2: [] },
		});
	});

	it.each<[unknown, string]>([
		[undefined, 'Message (JSON) is empty'],
		['[', 'Message (JSON) is not JSON'],
		[{ recipient }, 'Message (JSON): message is missing'],
		[{ recipient: {}, message }, 'Message (JSON): recipient names 0 people'],
		[
			{ recipient: { id: '1', appStaffId: '2' }, message },
			'Message (JSON): recipient names 2 people',
		],
		[{ recipient: { id: '' }, message }, 'Message (JSON): recipient.id is empty'],
		[{ recipient, message: { text: '' } }, 'Message (JSON): message.text is empty'],
		[
			{ recipient, message: { text: 'Hi {name}' } },
			'Message (JSON): message.text contains a name in braces for which there is no value',
		],
		[
			{ recipient, message: { text: 'Hi', txet: 'Hi' } },
			'Message (JSON): message has a name that is not known: txet',
		],
		[
			{ recipient, message: { text: 'Hi', trigger: { command: 'x' } } },
			'Message (JSON): message.trigger.data is not a text',
		],
		[
			{ recipient, message: { text: 'Hi', messageId: 'a]:b' } },
			'Message (JSON): message.messageId contains "]:"',
		],
	])('%j is refused', (messageJson, sentence) => {
		expect(refused(whole(messageJson))).toBe(sentence);
	});

	it('a name that holds more than a name is not shown', () => {
		const secret = 'code 123456 of Mrs. X';
		expect(refused(whole({ recipient, message, [secret]: 1 }))).not.toContain('123456');
	});
});

describe('a question', () => {
	const button = (count: number) =>
		Array.from({ length: count }, (_, index) => ({
			type: 'postback',
			title: `Choice ${index}`,
			payload: String(index),
			payloadHidden: index === 0,
			payloadSeenByUser: `Choice ${index}`,
		}));
	const asked = (count: number) =>
		bodyOf('sendAndWait', questionSchema(), {
			message: 'Well?',
			buttons: { button: button(count) },
		});

	it('up to three choices are buttons', () => {
		expect(asked(3)).toMatchObject({
			message: { attachment: { payload: { buttonsV2: [{}, {}, { payload: '2' }] } } },
		});
	});

	it('four and more are quick replies, signed where a signature is required', () => {
		expect(asked(4)).toMatchObject({
			message: {
				text: 'Well?',
				quickReplies: [],
				quickRepliesV2: [
					{ contentType: 'text', title: 'Choice 0', payload: '0', payloadHidden: true },
					{},
					{},
					{ payload: '3' },
				],
			},
		});
	});

	it('none is a text', () => {
		expect(asked(0)).toMatchObject({ message: { text: 'Well?', quickRepliesV2: [] } });
	});
});

describe('an app trigger', () => {
	const trigger = (fields: Raw) =>
		bodyOf('sendAppTrigger', appTriggerSchema(), { message: 'Tap', command: 'Open', ...fields });

	it.each([
		[undefined, ''],
		['', ''],
		[{ card: 1 }, '{"card":1}'],
		['x', 'x'],
	])('data %j', (data, text) => {
		expect(trigger({ data })).toMatchObject({
			message: { trigger: { command: 'Open', data: text } },
		});
	});

	it('without a command is refused', () => {
		const raw = { message: 'Tap', command: '' };
		expect(refusal('sendAppTrigger', appTriggerSchema(), raw)).toBe('Command is empty');
	});
});
