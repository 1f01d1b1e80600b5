import type { IDataObject, INodeParameters } from 'n8n-workflow';
import { serveAnswer } from '../../../support/answerServer';
import {
	BY_WORKER,
	diyalogTool,
	diyalogTools,
	itemOfCall,
	runDiyalogNode,
} from '../../../support/nodeRuntime';
import { formatNamed, newPhone } from '../../../support/signedFormats';

/* What the model of an agent must not replace, and whose item a tool must not be run with. */

const PERSON = newPhone();
const ATTACKER = newPhone();
const FORMAT = formatNamed('payload, separator, signature');
const TOOL = { type: 'n8n-nodes-diyalog.diyalogTool' };

const setup = (parameters: INodeParameters, credentials: Record<string, string> = {}) => ({
	parameters: {
		resource: 'signedPayload',
		operation: 'verify',
		payload: "={{ $fromAI('payload', 'What was signed', 'string') }}",
		signatureSettings: 'person',
		personKeys: '={{ $json.key }}',
		...parameters,
	},
	credentials: {
		serverUrl: 'http://127.0.0.1:9',
		botToken: 'token',
		...FORMAT.settings,
		...credentials,
	},
});

/** What an agent of version 3 is told, which works on this item and calls the tool with what its model says. */
async function told(item: IDataObject, said: IDataObject, parameters: INodeParameters = {}) {
	const called = { ...setup(parameters), calledBy: { item, said }, settings: TOOL };
	const { items, error } = await runDiyalogNode(called, [itemOfCall(called)]);
	return { error: error?.message, ...items[0]?.json };
}

const byAttacker = FORMAT.signed(ATTACKER, 'approve', '');
const byPerson = FORMAT.signed(PERSON, 'approve', '');

describe('an agent of version 3', () => {
	it("1. the model gives a key of its own: the item's counts", async () => {
		const item = { key: PERSON.publicKey };
		const said = { payload: byAttacker, key: ATTACKER.publicKey };
		expect(await told(item, said)).toMatchObject({ valid: false, reason: 'signature' });
		const genuine = { payload: byPerson, key: ATTACKER.publicKey };
		expect(await told(item, genuine)).toMatchObject({ valid: true });
	});

	it.each([
		['$json', '={{ $json.key }}'],
		['$input', '={{ $input.first().json.key }}'],
		['$input.item', '={{ $input.item.json["key"] }}'],
	])(
		'2. the item has no key, and the model gives one, read by %s: nothing is verified',
		async (_, personKeys) => {
			const found = await told(
				{},
				{ payload: byAttacker, key: ATTACKER.publicKey },
				{ personKeys },
			);
			expect(found).toMatchObject({ error: expect.stringContaining('Keys is empty') });
			expect(found).not.toHaveProperty('valid');
		},
	);

	it('3. names of which n8n says what the model may give: others do not become such by them', async () => {
		const item = { key: PERSON.publicKey };
		for (const name of ['query', 'toolParameters', 'tool', 'hitlParameters']) {
			const more = JSON.parse(
				`{"${name}":${JSON.stringify({ key: ATTACKER.publicKey })}}`,
			) as object;
			const said = { payload: byAttacker, ...more };
			const personKeys = `={{ $json.key ?? $json.${name}.key }}`;
			expect(await told(item, said, { personKeys })).toMatchObject({ valid: false });
		}
	});

	it('4. the call of another run, or none: nothing is verified', async () => {
		const called = { ...setup({}), settings: TOOL };
		const item = { json: { key: ATTACKER.publicKey, payload: byAttacker, toolCallId: 'call_1' } };
		const { items, error } = await runDiyalogNode(called, [item]);
		expect(error?.message).toMatch(/does not tell what the model/);
		expect(items).toEqual([]);
	});
});

describe('an older agent that works on several items', () => {
	const list = [{ json: { key: PERSON.publicKey } }, { json: { key: ATTACKER.publicKey } }];

	it.each([
		['the key is that of the item', {}, {}],
		['by its index', { personKeys: '={{ $input.first().json.key }}' }, {}],
		[
			'what it is about is that of the item',
			{ personKeys: PERSON.publicKey, messageId: '={{ $json.id }}' },
			{},
		],
		[
			'the key of the credential is that of the item',
			{ signatureSettings: 'credential' },
			{ payloadSignaturePublicKey: '={{ $json.key }}' },
		],
	])('5. %s: nothing is verified', async (_what, parameters, credentials) => {
		const tool = diyalogTool(setup(parameters, credentials), list);
		const found = await tool({ payload: byPerson }).catch(String);
		expect(found).toMatch(/of the first item for all|not the same for this item/);
		expect(found).not.toContain('valid":');
	});

	it.each([
		['a key that was entered', { personKeys: PERSON.publicKey }],
		['a key of a node before', { personKeys: "={{ $('Agent').first().json.key ?? $now }}" }],
	])('6. %s is the same for all of them', async (_what, parameters) => {
		const tool = diyalogTool(setup(parameters), list);
		expect(await tool({ payload: byPerson }).catch(String)).not.toContain('several items');
	});

	it('7. of one item it is the right one', async () => {
		const tool = diyalogTool(setup({}), list.slice(0, 1));
		expect(await tool({ payload: byPerson })).toContain('"valid":true');
		expect(await tool({ payload: byAttacker, key: ATTACKER.publicKey })).toContain('"valid":false');
	});
});

describe('tools of which n8n has made several before the first one is called: items of a batch, agents that are tools', () => {
	it('14. a payload that was not signed is not verified with what another call has said', async () => {
		const personKeys = PERSON.publicKey;
		const make = diyalogTools(setup({ personKeys }), [{ json: {} }, { json: {} }]);
		const [one, other] = [make(), make()];
		expect(await one({ payload: byPerson })).toContain('"valid":true');
		expect(await other({ payload: byAttacker }).catch(String)).not.toContain('"valid":true');
	});
});

describe('an MCP Server Trigger, whose callers write what stands in the place of the item', () => {
	const body = [{ json: { jsonrpc: '2.0', method: 'tools/call', key: ATTACKER.publicKey } }];
	const TRIGGER = '@n8n/n8n-nodes-langchain.mcpTrigger';

	it('15. nothing is verified with a key of that', async () => {
		const found = await diyalogTool(
			setup({}),
			body,
			TRIGGER,
		)({ payload: byAttacker }).catch(String);
		expect(found).toMatch(/what the caller of the MCP Server Trigger has written/);
		const own = diyalogTool(setup({ personKeys: PERSON.publicKey }), body, TRIGGER);
		expect(await own({ payload: byAttacker })).toContain('"valid":false');
		expect(await own({ payload: byPerson })).toContain('"valid":true');
	});
});

describe('an agent that is the tool of another agent, whose model may have said anything of its item', () => {
	const said = { key: ATTACKER.publicKey, toolCallId: 'call_0' };
	const REFUSED = /tool of another agent/;

	it('8. of version 3: nothing is verified with a key of that item', async () => {
		expect(await told(said, { payload: byAttacker })).toEqual({
			error: expect.stringMatching(REFUSED),
		});
		const credential = { payloadSignaturePublicKey: '={{ $json.key }}' };
		const called = {
			...setup({ signatureSettings: 'credential' }, credential),
			calledBy: { item: said, said: { payload: byAttacker } },
			settings: TOOL,
		};
		const { items, error } = await runDiyalogNode(called, [itemOfCall(called)]);
		expect(error?.message).toMatch(/not the same for this item/);
		expect(items).toEqual([]);
	});

	it('9. of an older version below one of version 3: the same', async () => {
		const tool = diyalogTool(setup({}), [{ json: said }]);
		const found = await tool({ payload: byAttacker }).catch(String);
		expect(found).toMatch(REFUSED);
		expect(found).not.toContain('valid":');
	});

	it('10. a key that was entered counts', async () => {
		const personKeys = PERSON.publicKey;
		expect(await told(said, { payload: byPerson }, { personKeys })).toMatchObject({ valid: true });
		expect(await told(said, { payload: byAttacker }, { personKeys })).toMatchObject({
			valid: false,
		});
	});
});

describe('an agent of version 3 that works on several items, in a loop, or behind another output', () => {
	/** Of several items it is refused before anything is looked at. */
	const REFUSED: Readonly<Record<string, RegExp>> = { items: /^The agent got 2 items/ };

	const CUSTOMERS = [{ key: ATTACKER.publicKey }, { key: PERSON.publicKey }];

	it.each([
		["$('Customers').item", "={{ $('Customers').item.json.key }}"],
		["$('Customers').itemMatching", "={{ $('Customers').itemMatching(0).json.key }}"],
		['$node', '={{ $node["Customers"].json.key }}'],
		['$items', "={{ $items('Customers')[0].json.key }}"],
		['$itemIndex', "={{ $('Customers').all()[$itemIndex].json.key }}"],
	])('11. %s may be that of another item: nothing is verified', async (_, personKeys) => {
		for (const place of [{ items: 2 }, { run: 1 }, { output: 1 }]) {
			const called = {
				...setup({ personKeys }),
				// The call may be about any other of them.
				calledBy: { item: {}, said: { payload: byAttacker }, before: CUSTOMERS, ...place },
				settings: TOOL,
			};
			const { items, error } = await runDiyalogNode(called, [itemOfCall(called)]);
			expect(items).toEqual([]);
			expect(error?.message).toMatch(REFUSED[Object.keys(place).join()] ?? /value of another item/);
		}
	});

	it('12. what the model says, and the item of the agent, are those of the call', async () => {
		const called = {
			...setup({ messageId: '={{ $tool?.name ?? $fromAI("id") }}' }),
			calledBy: { item: { key: PERSON.publicKey }, said: { payload: byPerson, id: '' }, run: 1 },
			settings: TOOL,
		};
		const { error } = await runDiyalogNode(called, [itemOfCall(called)]);
		expect(error?.message ?? '').not.toMatch(/value of another item/);
	});

	it('13. a question does not go out with the server and the bot of another item', async () => {
		const accepted = { status: 200, text: '{"recipient_id":"1","message_id":"2"}' };
		const ofFirst = await serveAnswer(accepted);
		try {
			for (const place of [{ items: 2 }, { run: 1 }, { output: 1 }]) {
				const called = {
					parameters: {
						resource: 'otp',
						operation: 'sendAndWait',
						customerNo: '70021',
						message: 'Do you approve?',
					},
					credentials: {
						serverUrl: "={{ $('Customers').item.json.server }}",
						botToken: 'token',
						appSecret: 'app-secret',
					},
					calledBy: { item: {}, said: {}, before: [{ server: ofFirst.url }], ...place },
					settings: TOOL,
				};
				const { error } = await runDiyalogNode(called, [itemOfCall(called)]);
				expect(error?.message).toMatch(
					REFUSED[Object.keys(place).join()] ?? /not the same for this item/,
				);
			}
			expect(ofFirst.requests()).toBe(0);
		} finally {
			await ofFirst.close();
		}
	});
});

it('16. a tool of an MCP Server Trigger that a worker runs: no key counts that the caller has written', async () => {
	const items = [{ json: { key: ATTACKER.publicKey } }];
	const tool = diyalogTool(setup({}), items, BY_WORKER);
	expect(await tool({ payload: byAttacker }).catch(String)).not.toContain('"valid":true');
});

it('17. nothing said for a value that may be left out is no reason to refuse', async () => {
	const said = { payload: byPerson, note: null };
	const parameters = {
		personKeys: PERSON.publicKey,
		toolDescription: "={{ $fromAI('note', 'If there is one', 'string') }}",
	};
	expect(await told({}, said, parameters)).toMatchObject({ valid: true });
});
