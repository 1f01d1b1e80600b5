import { Workflow } from 'n8n-workflow';
import type { INode, INodeParameters, INodeType, INodeTypes } from 'n8n-workflow';
import { Diyalog } from '../../../nodes/Diyalog/Diyalog.node';
import nodeCodex from '../../../nodes/Diyalog/Diyalog.node.json';
import triggerCodex from '../../../nodes/Diyalog/DiyalogTrigger.node.json';
import { DiyalogTrigger } from '../../../nodes/Diyalog/DiyalogTrigger.node';
import { resources } from '../../../nodes/Diyalog/actions';
import { triggerFields } from '../../../nodes/Diyalog/trigger/settings';
import { homepage } from '../../../package.json';

/* The words that stand around the nodes in the editor. */

it.each([
	['node', new Diyalog(), nodeCodex],
	['trigger', new DiyalogTrigger(), triggerCodex],
] as const)(
	'the codex of the %s fits it, and its Docs link leads to our own pages',
	(_, type, codex) => {
		const { name, version } = type.description;
		expect(codex).toMatchObject({
			node: `n8n-nodes-diyalog.${name}`,
			nodeVersion: `${String(version)}.0`,
		});
		const [first] = codex.resources.primaryDocumentation;
		expect(first).toEqual({ url: homepage.replace('#readme', '') });
		// n8n's rules leave the sections of its node panel to n8n.
		expect(codex).not.toHaveProperty('subcategories');
	},
);

it.each([
	'approve',
	'approval',
	'human in the loop',
	'button',
	'verify',
	'sms',
	'verification code',
	'one-time password',
	'2fa',
	'mfa',
	'push',
])('whoever types "%s" finds the node', (word) => {
	expect(nodeCodex.alias).toContain(word);
});

/** What the editor writes below a node on the canvas. */
function subtitleOf(type: INodeType, parameters: INodeParameters): unknown {
	const { name, version, subtitle = '' } = type.description;
	const node: INode = {
		id: '1',
		name,
		type: `n8n-nodes-diyalog.${name}`,
		typeVersion: Number(version),
		position: [0, 0],
		parameters,
	};
	const nodeTypes: INodeTypes = {
		getByName: () => type,
		getByNameAndVersion: () => type,
		getKnownTypes: () => ({}),
	};
	const workflow = new Workflow({ nodes: [node], connections: {}, active: false, nodeTypes });
	return workflow.expression.getSimpleParameterValue(node, subtitle, 'internal', {});
}

it.each<[string, INodeParameters]>([
	['OTP: Send', { resource: 'otp', operation: 'send' }],
	['OTP: Verify', { resource: 'otp', operation: 'verify' }],
	['Message: Send Carousel', { resource: 'message', operation: 'sendCarousel' }],
	['Send and Wait for Approval', { resource: 'otp', operation: 'sendAndWait' }],
	[
		'Send and Wait for Free Text',
		{ resource: 'message', operation: 'sendAndWait', responseType: 'freeText' },
	],
	['Signed Payload: Verify', { resource: 'signedPayload', operation: 'verify' }],
])('the node says: %s', (expected, parameters) => {
	expect(subtitleOf(new Diyalog(), parameters)).toBe(expected);
});

it('no operation has a subtitle that is a value of the program', () => {
	for (const { value: resource, operations } of resources) {
		for (const { value: operation } of operations) {
			expect(subtitleOf(new Diyalog(), { resource, operation })).toMatch(/^[A-Z]\w+/);
		}
	}
});

it('the trigger says what starts it, in the words of its own list', () => {
	const events = triggerFields.find(({ name }) => name === 'events')?.options ?? [];
	for (const event of events) {
		if (!('value' in event)) throw new Error('This is no choice');
		expect(subtitleOf(new DiyalogTrigger(), { events: [event.value] } as INodeParameters)).toBe(
			event.name,
		);
	}
	expect(subtitleOf(new DiyalogTrigger(), { events: ['buttonPressed', 'textReceived'] })).toBe(
		'Button Pressed, Text Received',
	);
});

it('nobody is sent to Diyalog to make an event at the Test URL', () => {
	const { eventTriggerDescription, activationMessage, hints } = new DiyalogTrigger().description;
	expect(eventTriggerDescription).toMatch(/Test URL.*Production URL/);
	expect(activationMessage).toMatch(/Production URL/);
	expect(hints).toEqual([
		expect.objectContaining({ whenToDisplay: 'beforeExecution', location: 'outputPane' }),
	]);
	// Whatever is an expression here costs n8n an isolate, or the reader a line of code.
	expect(JSON.stringify([eventTriggerDescription, activationMessage, hints])).not.toMatch(/\{\{/);
});
