import { createHash, createPublicKey, sign } from 'node:crypto';
import { z } from 'zod';
import type { StoredMessage } from '../../sandbox/diyalog';
import { runConcurrently } from '../../nodes/Diyalog/actions/concurrency';
import { sleepMs, waitFor } from '../../tools/system';
import { startChatServer } from '../support/chatServer';
import type { ChatServer } from '../support/chatServer';
import { endsWithin } from '../support/endsWithin';
import { postSigned } from '../support/sign';
import { newPhone, plain } from '../support/signedFormats';
import type { Phone } from '../support/signedFormats';
import { entry, envelope } from '../support/webhookBodies';
import { breakSqlite, lockSqlite, mendSqlite } from './harness/database';
import { customersOf } from './harness/decisions';
import { Stage } from './harness/waiting';
import {
	ASK,
	asTool,
	behind,
	branches,
	calledTrigger,
	deed,
	deedTool,
	loop,
	manualTrigger,
	noOp,
	output,
	set,
	splitOut,
	subWorkflow,
	whicheverWay,
	workflow,
} from './harness/workflows';
import type { Fields, Row, WorkflowNode } from './harness/workflows';

/*
 * Questions that have to be signed, with everything that can be set, run, edited, broken and killed meanwhile in a real n8n:
 * nothing but a payload that the right phone has signed for this very question decides, and what it decides is done once.
 */

const CLAIMING = 'Claim';
const AFTER = 'Transfer';
const GIVE_UP = 'Give up';
const REFUSE = 'Refuse';
const FAILED = 'Failed';
const WITHIN_MS = 60_000;
const AT_ONCE = 6;
const COUNTS_WITHIN_MS = 4_000;
const TRIES_WITHIN_MS = 1_500;

const FORMAT = plain('separated', { payloadSignatureSeparator: '.' });
const COMPANY = newPhone();

const customers = customersOf(400);
const phones = new Map(customers.map(({ customerNo }) => [customerNo, newPhone()]));
const phoneOf = (customerNo = ''): Phone => phones.get(customerNo) ?? COMPANY;
let nextCustomer = 0;
const newPeople = (count = 1): string[] =>
	Array.from({ length: count }, () => customers[nextCustomer++]?.customerNo ?? '');

const keys = Object.fromEntries([...phones].map(([no, { publicKey }]) => [no, publicKey]));
const thumbprintOf = ({ publicKey }: Phone): string =>
	createHash('sha256')
		.update(createPublicKey(publicKey).export({ type: 'spki', format: 'der' }))
		.digest('hex');
const ownerOf = new Map([...phones].map(([no, phone]) => [thumbprintOf(phone), no]));

let stage: Stage;
let chat: ChatServer;
/** What the model calls its tool with. */
const said: Record<string, unknown> = { toolParameters: { amount: '250' }, hitlParameters: {} };

beforeAll(async () => {
	chat = await startChatServer(said);
	stage = await Stage.set({
		credential: { ...FORMAT, payloadSignatureKeys: 'person' },
		sandbox: { customers },
		settings: { EXECUTIONS_DATA_SAVE_ON_PROGRESS: 'true' },
	});
}, 900_000);

afterAll(async () => {
	await stage?.clear();
	await chat?.close();
}, 60_000);

/** The item that goes in claims an approval, and has the keys of those who are asked. */
const claimFor = (people: readonly string[]) => ({
	approved: true,
	data: { approved: true },
	evidence: { button: 'Approve' },
	amount: '250',
	keys: Object.fromEntries(people.map((no) => [no, keys[no]])),
});
const claim = (people: readonly string[]): WorkflowNode => set(CLAIMING, claimFor(people));

const fromItem = (customerNo: string): string => `={{ $json.keys['${customerNo}'] }}`;
const constant = (customerNo: string): string => keys[customerNo] ?? '';
type KeyOf = (customerNo: string) => string;

/** A question to one customer, or to several of whom two have to approve. */
function question(people: readonly string[], keyOf: KeyOf = fromItem, more: Fields = {}): Fields {
	const [customerNo = ''] = people;
	const options = { requireSignedPayload: true, ...endsWithin(10, 'minutes'), ...more };
	if (people.length === 1)
		return {
			customerNo,
			message: 'Pay 250 TL?',
			options: { personKeys: keyOf(customerNo), ...options },
		};
	return {
		message: 'Pay 250 TL?',
		ask: 'several',
		people: { person: people.map((no) => ({ customerNo: no, personKeys: keyOf(no) })) },
		rule: 'atLeast',
		approvalsNeeded: 2,
		options,
	};
}

const tellers = (key: string): WorkflowNode[][] =>
	[AFTER, GIVE_UP, REFUSE, FAILED].map((name) => [deed(name, chat.toolUrl, key)]);

/** Claim -> Ask -> Transfer, or what else is done when nothing is approved */
const chain = (key: string, people: readonly string[], asking: WorkflowNode): Row[] => [
	[claim(people), asking],
	...branches(asking, tellers(key)),
];

async function called(rows: readonly Row[], settings: Fields = {}): Promise<string> {
	const { id, url } = await stage.createCalled(rows, settings);
	await fetch(url, { method: 'POST' });
	return id;
}

const post = async (resource: string, body: unknown): Promise<unknown> =>
	await stage.n8n.request('POST', resource, body, z.unknown());
const patch = async (id: string, body: object): Promise<unknown> =>
	await stage.n8n.request('PATCH', `/rest/workflows/${id}`, body, z.unknown());

const newestOf = async (id: string, ...statuses: string[]): Promise<string> =>
	await waitFor(`${statuses.join(' or ')} of ${id}`, WITHIN_MS, async () => {
		const [newest] = await stage.n8n.executions(id);
		return newest && statuses.includes(newest.status) ? newest.id : undefined;
	});
const waits = async (id: string): Promise<string> => await newestOf(id, 'waiting');

const messagesTo = (customerNo = ''): StoredMessage[] =>
	stage.sandbox.messages().filter((message) => message.customerNo === customerNo);
const hasGot = async (customerNo = '', count = 1): Promise<StoredMessage> =>
	await waitFor(`message ${count} to ${customerNo}`, WITHIN_MS, () =>
		messagesTo(customerNo).at(count - 1),
	);
const got = (people: readonly string[]): number[] =>
	people.map((customerNo) => messagesTo(customerNo).length);

interface Press {
	button?: string;
	/** whose phone signs; undefined for an app that does not */
	by?: Phone;
	/** which of the person's messages is answered, counted from 1 */
	count?: number;
	/** epoch ms */
	at?: number;
}

const signed = ({ privateKey }: Phone, payload: string): string =>
	`${payload}.${sign('sha256', Buffer.from(payload), privateKey).toString('base64')}`;

/** Diyalog tells of a press. */
async function press(
	customerNo = '',
	{ button = 'Approve', by, count = 1, at = Date.now() }: Press = {},
): Promise<number> {
	const { messageId, buttonsV2 = [] } = await hasGot(customerNo, count);
	const issued = buttonsV2.find(({ title }) => title === button)?.payload ?? '';
	const payload = by ? signed(by, issued) : issued;
	const userId = customers.find((each) => each.customerNo === customerNo)?.userId;
	const message = { mid: 'other', text: `[${messageId}]:${payload}` };
	const body = envelope(entry({ message }, { customerNo, userId, timestamp: at }));
	const url = `${stage.n8n.url}/webhook/${stage.triggerPath}`;
	return (await postSigned(url, body, stage.appSecret)).status;
}

const own = async (customerNo = '', more: Press = {}): Promise<number> =>
	await press(customerNo, { by: phoneOf(customerNo), ...more });

/** All that must decide nothing: an old app, the phone of somebody else, the company's key, and the same for a decline. */
async function attack(customerNo = '', other = COMPANY, count = 1): Promise<void> {
	for (const by of [undefined, other, COMPANY])
		for (const button of ['Approve', 'Decline']) await press(customerNo, { button, by, count });
	await sleepMs(TRIES_WITHIN_MS);
}

const evidenceSchema = z.object({ keyThumbprint: z.string() }).partial().optional();
const deedSchema = z.object({
	key: z.string(),
	from: z.string(),
	item: z
		.object({
			approved: z.unknown(),
			decision: z.unknown(),
			output: z.unknown(),
			error: z.unknown(),
			evidence: evidenceSchema,
			answers: z.array(z.object({ evidence: evidenceSchema })).optional(),
		})
		.passthrough(),
});

const deedsOf = (key: string) =>
	chat.deeds.map((each) => deedSchema.parse(each)).filter((each) => each.key === key);

const signerOf = (evidence: z.output<typeof evidenceSchema>): string =>
	ownerOf.get(evidence?.keyThumbprint ?? '') ?? 'nobody';

/** What came out, as words: where, the decision, and whose phones have signed. */
const cameOut = (key: string): string[] =>
	deedsOf(key).map(({ from, item }) => {
		const { decision, output: said, error, evidence, answers } = item;
		const told = /"decision":"(\w+)"/.exec(String(said))?.[1];
		const what = String(decision ?? told ?? (error === undefined ? JSON.stringify(item) : 'error'));
		const by =
			answers?.map((each) => signerOf(each.evidence)) ?? (evidence ? [signerOf(evidence)] : []);
		return [`${from}: ${what}`, ...by].join(' ');
	});

const outcome = async (key: string, count = 1, withinMs = 100_000): Promise<string[]> =>
	await waitFor(`what came out of ${key}`, withinMs, () =>
		cameOut(key).length >= count ? cameOut(key) : undefined,
	);

const ONCE = { executeOnce: true };
const RETRY = { retryOnFail: true, maxTries: 3, waitBetweenTries: 10 };
const EVERYTHING = { ...ONCE, ...RETRY, onError: 'continueErrorOutput' };

interface Started {
	/** the workflow that asks */
	id: string;
	/** what tells what came out, if not the node behind the output of the decision */
	from?: string;
	/** what comes out is a model's text */
	isText?: boolean;
}

interface Way {
	way: string;
	start(key: string, people: readonly string[], parameters: Fields): Promise<Started>;
	meanwhile?(started: Started): Promise<void>;
}

const production = (way: string, settings: Fields = {}, ofWorkflow: Fields = {}): Way => ({
	way,
	start: async (key, people, parameters) => ({
		id: await called(chain(key, people, stage.ask(parameters, settings)), ofWorkflow),
	}),
});

const ran = (json: object, source: object[] = []) => [
	{
		startTime: Date.now(),
		executionTime: 1,
		executionIndex: 0,
		executionStatus: 'success',
		source,
		data: { main: [[{ json, pairedItem: { item: 0 } }]] },
	},
];

const manual = (way: string, isPinned: boolean, isPartial = false): Way => ({
	way,
	start: async (key, people, parameters) => {
		const rows = behind(manualTrigger(), chain(key, people, stage.ask(parameters)));
		const json = claimFor(people);
		const pinData = isPinned ? { [CLAIMING]: [{ json }] } : {};
		const { id } = await stage.n8n.saveWorkflow({ ...workflow('By hand', rows), pinData });
		const partially = {
			destinationNode: { nodeName: AFTER, mode: 'inclusive' },
			runData: { Start: ran({}), [CLAIMING]: ran(json, [{ previousNode: 'Start' }]) },
			dirtyNodeNames: [],
		};
		const run = isPartial ? partially : { triggerToStartFrom: { name: 'Start' } };
		await post(`/rest/workflows/${id}/run`, run);
		return { id };
	},
});

async function publish(id: string, change: object): Promise<void> {
	await patch(id, change);
	const { versionId } = await stage.saved(id);
	await post(`/rest/workflows/${id}/activate`, { versionId });
}

const edited = (way: string, change: (id: string) => Promise<unknown>): Way => ({
	...production(way),
	meanwhile: async ({ id }) => void (await change(id)),
});

/** The node that asks is changed while it waits, and published again. */
const nodeEdited = (way: string, change: (node: Fields) => Fields): Way =>
	edited(way, async (id) => {
		const { nodes } = await stage.saved(id);
		await publish(id, { nodes: nodes.map((each) => (each.name === ASK ? change(each) : each)) });
	});

const withOptions =
	(change: (options: Fields) => Fields) =>
	(each: Fields): Fields => {
		const parameters = each.parameters as Fields;
		return {
			...each,
			parameters: { ...parameters, options: change(parameters.options as Fields) },
		};
	};

const ways: Way[] = [
	production('no settings'),
	production('order v0', {}, { executionOrder: 'v0' }),
	production('all settings of the node', EVERYTHING),
	production('order v0, all settings of the node', EVERYTHING, { executionOrder: 'v0' }),
	production('On Error: Continue', { ...RETRY, onError: 'continueRegularOutput' }),
	production(
		'nothing saved',
		{},
		{
			saveDataSuccessExecution: 'none',
			saveDataErrorExecution: 'none',
			saveManualExecutions: false,
			saveExecutionProgress: false,
		},
	),
	manual('manual run', false),
	manual('manual run, input pinned', true),
	manual('partial run up to the node behind', false, true),
	...[true, false].map(
		(isWaitedFor): Way => ({
			way: `sub-workflow, waited for: ${isWaitedFor}`,
			start: async (key, people, parameters) => {
				const asking = stage.ask(parameters);
				const id = await stage.n8n.createWorkflow(
					workflow('Child', [
						[calledTrigger(), claim(people), asking],
						...(isWaitedFor ? whicheverWay(asking, noOp('End')) : branches(asking, tellers(key))),
					]),
				);
				const sub = subWorkflow(id, isWaitedFor);
				await called([isWaitedFor ? [sub, deed('Parent', chat.toolUrl, key)] : [sub]]);
				return isWaitedFor ? { id, from: 'Parent' } : { id };
			},
		}),
	),
	{
		way: 'tool of an agent',
		start: async (key, people) => {
			const tool = stage.ask(
				{ toolDescription: 'Asks', ...question(people, constant) },
				{ type: 'n8n-nodes-diyalog.diyalogTool' },
			);
			const { agent, rows } = await stage.agentWith(tool, chat.url, 3.1);
			const id = await called([[agent, deed(AFTER, chat.toolUrl, key)], ...rows]);
			return { id, from: AFTER, isText: true };
		},
	},
	edited('workflow deactivated and emptied meanwhile', async (id) => {
		await post(`/rest/workflows/${id}/deactivate`, {});
		const { nodes, connections } = workflow('Empty', [[manualTrigger()]]);
		await patch(id, { nodes, connections });
	}),
	edited('node renamed meanwhile', async (id) => {
		const { nodes, connections } = await stage.saved(id);
		const renamed = JSON.stringify({ nodes, connections }).replaceAll(`"${ASK}"`, '"Another name"');
		await publish(id, JSON.parse(renamed) as object);
	}),
	edited('node copied meanwhile', async (id) => {
		const { nodes } = await stage.saved(id);
		const asking = nodes.find(({ name }) => name === ASK);
		await publish(id, { nodes: [...nodes, { ...asking, id: 'copy', name: `${ASK}1` }] });
	}),
	nodeEdited('node disabled meanwhile', (each) => ({ ...each, disabled: true })),
	nodeEdited(
		'Require Signed Payload turned off meanwhile',
		withOptions((options) => ({ ...options, requireSignedPayload: false })),
	),
	nodeEdited(
		'options deleted meanwhile',
		withOptions(() => ({})),
	),
	nodeEdited(
		'keys of the company entered for the person meanwhile',
		withOptions((options) => ({ ...options, personKeys: COMPANY.publicKey })),
	),
];

const isPartial = ({ way }: Way): boolean => way.startsWith('partial');

/** Runs all ways side by side; what happened in each, or why not. */
async function play<T>(one: (way: Way) => Promise<T>): Promise<Map<string, T | Error>> {
	const found = new Map<string, T | Error>();
	await runConcurrently(
		ways.length,
		AT_ONCE,
		async (index) => {
			const way = ways[index];
			if (way) found.set(way.way, await one(way).catch((error: unknown) => error as Error));
		},
		() => true,
	);
	return found;
}

describe.each([
	['one person approves', 1, ['Approve'], 'approved', AFTER],
	['one person declines', 1, ['Decline'], 'declined', REFUSE],
	['two of three approve, one declines', 3, ['Approve', 'Decline', 'Approve'], 'approved', AFTER],
] as const)('1. %s', (what, count, buttons, decision, leaves) => {
	let found: Map<string, unknown>;

	beforeAll(async () => {
		found = await play(async (each) => {
			const key = `${what}, ${each.way}`;
			const people = newPeople(count);
			const started = await each.start(key, people, question(people));
			for (const customerNo of people) await hasGot(customerNo);
			await waits(started.id);
			await each.meanwhile?.(started);
			const early: string[] = [];
			for (const [index, button] of buttons.entries()) {
				await waits(started.id);
				const customerNo = people[index];
				await attack(customerNo, count === 1 ? newPhone() : phoneOf(people[(index + 1) % count]));
				early.push(...cameOut(key));
				await waits(started.id);
				await own(customerNo, { button });
				if (index < buttons.length - 1) await sleepMs(COUNTS_WITHIN_MS);
			}
			if (isPartial(each) && leaves !== AFTER) await newestOf(started.id, 'success');
			else await outcome(key);
			await sleepMs(1_000);
			const by = started.isText ? '' : ` ${people.join(' ')}`;
			const out = [`${started.from ?? leaves}: ${decision}${by}`];
			return { early, out: cameOut(key), expected: out, messages: got(people) };
		});
	}, 400_000);

	it.each(ways)('$way', (each) => {
		const result = found.get(each.way);
		if (result instanceof Error) throw result;
		const { expected: out } = result as { expected: string[] };
		const nothing = isPartial(each) && leaves !== AFTER;
		const messages = Array.from({ length: count }, () => 1);
		expect(result).toMatchObject({ early: [], out: nothing ? [] : out, messages });
	});
});

/** A question of one customer, and what came out of it, with more settings of the credential. */
const newCredential = async (more: Fields): Promise<string> =>
	await stage.n8n.createCredential('Another', {
		serverUrl: stage.sandbox.url,
		botToken: stage.botToken,
		appSecret: stage.appSecret,
		...FORMAT,
		...more,
	});
const withCredential = (id: string): Fields => ({
	credentials: { diyalogApi: { id, name: 'Another' } },
});
const changeCredential = async (id: string, more: Fields): Promise<void> =>
	void (await patchCredential(id, {
		serverUrl: stage.sandbox.url,
		botToken: stage.botToken,
		appSecret: stage.appSecret,
		...FORMAT,
		...more,
	}));
const patchCredential = async (id: string, data: Fields): Promise<unknown> =>
	await stage.n8n.request(
		'PATCH',
		`/rest/credentials/${id}`,
		{ name: 'Another', type: 'diyalogApi', data },
		z.unknown(),
	);
const OF_COMPANY = {
	payloadSignatureKeys: 'company',
	payloadSignaturePublicKey: COMPANY.publicKey,
};
const BY_COMPANY = { requireSignedPayload: true, ...endsWithin(10, 'minutes') };

/** The customer is asked, with the company's key in a credential of its own. */
async function askedByCompany(key: string, more: Fields = {}) {
	const credential = await newCredential({ ...OF_COMPANY, ...more });
	const [customerNo = ''] = newPeople();
	const parameters = { customerNo, message: 'Pay 250 TL?', options: BY_COMPANY };
	const asking = stage.ask(parameters, withCredential(credential));
	const id = await called(chain(key, [customerNo], asking));
	return { id, customerNo, credential };
}

describe('2. the credential is changed while the question waits', () => {
	it.each([
		['nothing is checked any more', { payloadSignature: 'none' }],
		['each person has keys', { payloadSignatureKeys: 'person' }],
		['its key is empty', { ...OF_COMPANY, payloadSignaturePublicKey: '' }],
		['its key is no key', { ...OF_COMPANY, payloadSignaturePublicKey: 'key' }],
		[
			'its key is an expression that gives nothing',
			{ ...OF_COMPANY, payloadSignaturePublicKey: '={{ $json.key }}' },
		],
		[
			'its key is an expression that fails',
			{ ...OF_COMPANY, payloadSignaturePublicKey: "={{ $('Nowhere').item.json.key.a.b }}" },
		],
		[
			'its format is an expression that gives nothing',
			{ ...OF_COMPANY, payloadSignature: '={{ $json.key }}' },
		],
		['another key', { ...OF_COMPANY, payloadSignaturePublicKey: newPhone().publicKey }],
		[
			'another format',
			{ ...OF_COMPANY, payloadSignature: 'jws', payloadSignatureAlgorithm: 'ES256' },
		],
		['another App Secret', { ...OF_COMPANY, appSecret: 'another secret' }],
	])(
		'%s: it keeps waiting, and approves when that is undone',
		async (what, change) => {
			const key = `credential ${what}`;
			const { id, customerNo, credential } = await askedByCompany(key);
			await waits(id);
			await changeCredential(credential, change);
			await attack(customerNo);
			expect(cameOut(key)).toEqual([]);
			await waits(id);
			await changeCredential(credential, OF_COMPANY);
			await press(customerNo, { by: COMPANY });
			expect(await outcome(key)).toEqual([`${AFTER}: approved nobody`]);
			await sleepMs(TRIES_WITHIN_MS);
			expect(cameOut(key)).toHaveLength(1);
		},
		120_000,
	);

	it('it is deleted: it keeps waiting until the time is up', async () => {
		const key = 'credential deleted';
		const { id, customerNo, credential } = await askedByCompany(key);
		await waits(id);
		await stage.n8n.request('DELETE', `/rest/credentials/${credential}`, undefined, z.unknown());
		await press(customerNo, { by: COMPANY });
		await press(customerNo);
		await sleepMs(TRIES_WITHIN_MS);
		expect(cameOut(key)).toEqual([]);
		await waits(id);
	}, 120_000);
});

describe('3. expressions in the credential', () => {
	const byItem = async (expression: string): Promise<Fields> =>
		withCredential(await newCredential({ ...OF_COMPANY, payloadSignaturePublicKey: expression }));

	it('a key that looks at the item: nobody is asked', async () => {
		const key = 'expression';
		const [customerNo = ''] = newPeople();
		const credential = await byItem('={{ Object.values($json.keys)[0] }}');
		const parameters = { customerNo, message: 'Pay 250 TL?', options: BY_COMPANY };
		const asking = stage.ask(parameters, { ...EVERYTHING, ...credential });
		await called(chain(key, [customerNo], asking));
		expect(await outcome(key)).toEqual([`${FAILED}: error`]);
		expect(got([customerNo])).toEqual([0]);
	}, 120_000);

	it('Verify Signed Payload: the key of one item verifies no other', async () => {
		const key = 'verify';
		const [one = '', other = ''] = newPeople(2);
		const payload = signed(phoneOf(one), 'approve');
		const list = [one, other].map((no) => ({ key: constant(no), payload }));
		const verify = stage.send(
			{ resource: 'signedPayload', operation: 'verify', payload: '={{ $json.payload }}' },
			{ name: 'Verify', onError: 'continueErrorOutput', ...(await byItem('={{ $json.key }}')) },
		);
		const id = await called([
			[set(CLAIMING, { list }), splitOut('list'), verify],
			...branches(
				verify,
				['Valid', 'Invalid', FAILED].map((name) => [deed(name, chat.toolUrl, key)]),
			),
		]);
		await newestOf(id, 'success');
		expect(deedsOf(key).map(({ from }) => from)).toEqual(['Valid', FAILED]);
	}, 120_000);
});

describe('4. the human review of an agent', () => {
	async function reviewed(
		people: readonly string[],
		parameters: Fields,
		item: object = {},
	): Promise<string> {
		const review = stage.ask(undefined, {
			type: 'n8n-nodes-diyalog.diyalogHitlTool',
			parameters: { ...parameters, message: '=Run {{ $tool.name }}?' },
		});
		const jsonBody = `={{ { key: 'review', from: 'Tool', item: { output: $fromAI('amount', 'How much', 'string') } } }}`;
		const tool = deedTool('Transfer money', chat.toolUrl, jsonBody);
		const { agent, rows } = await stage.agentWith(review, chat.url);
		const id = await called([[set('Task', item), agent], ...rows, [asTool(tool), review]]);
		for (const customerNo of people) await hasGot(customerNo);
		return id;
	}

	it.each([
		['one', 1, 'Approve', 1],
		['one', 1, 'Decline', 0],
		['three', 3, 'Approve', 1],
	])(
		'%s: %s %s',
		async (_what, count, button, done) => {
			const deeds = chat.deeds.length;
			const people = newPeople(count);
			const id = await reviewed(people, question(people, constant));
			for (const [index, customerNo] of people.slice(0, 2).entries()) {
				await waits(id);
				await attack(customerNo, phoneOf(people[index + 1]));
				await waits(id);
				expect(chat.deeds).toHaveLength(deeds);
				await own(customerNo, { button });
				await sleepMs(COUNTS_WITHIN_MS);
			}
			await newestOf(id, 'success');
			expect(chat.deeds).toHaveLength(deeds + done);
			expect(got(people)).toEqual(people.map(() => 1));
		},
		120_000,
	);

	it('the model says who is asked and whose key counts: the item of its agent does', async () => {
		const deeds = chat.deeds.length;
		const [customerNo = '', other = ''] = newPeople(2);
		const item = { no: customerNo, key: constant(customerNo) };
		const parameters = {
			...question([customerNo], () => '={{ $json.key }}'),
			customerNo: '={{ $json.no }}',
		};
		const theirs = { no: other, key: constant(other) };
		Object.assign(said, { ...theirs, hitlParameters: theirs });
		try {
			const id = await reviewed([customerNo], parameters, item);
			await waits(id);
			await attack(customerNo, phoneOf(other));
			expect(got([customerNo, other])).toEqual([1, 0]);
			expect(chat.deeds).toHaveLength(deeds);
			await own(customerNo);
			await newestOf(id, 'success');
			expect(chat.deeds).toHaveLength(deeds + 1);
		} finally {
			for (const name of ['no', 'key']) delete said[name];
			said.hitlParameters = {};
		}
	}, 120_000);
});

describe('5. the database', () => {
	afterEach(async () => await mendSqlite(stage.n8n.userFolder));

	it('cannot store that the execution continues: the signed answer is carried out once, when it can', async () => {
		const key = 'database, waiting';
		const [customerNo = ''] = newPeople();
		const id = await called(chain(key, [customerNo], stage.ask(question([customerNo]))));
		await waits(id);
		await breakSqlite(stage.n8n.userFolder, 'waiting');
		await own(customerNo);
		await attack(customerNo);
		expect(cameOut(key)).toEqual([]);
		await mendSqlite(stage.n8n.userFolder);
		expect(await outcome(key)).toEqual([`${AFTER}: approved ${customerNo}`]);
		await sleepMs(TRIES_WITHIN_MS);
		expect(cameOut(key)).toHaveLength(1);
	}, 150_000);

	it('is held by another program while answers are judged: only the signed one is carried out, once', async () => {
		const key = 'database, locked';
		const [customerNo = ''] = newPeople();
		const id = await called(chain(key, [customerNo], stage.ask(question([customerNo]))));
		await waits(id);
		const locked = lockSqlite(stage.n8n.userFolder, 15_000);
		await sleepMs(500);
		const forged = attack(customerNo);
		const declined = own(customerNo, { button: 'Decline' });
		await Promise.allSettled([forged, declined]);
		await own(customerNo);
		await locked;
		expect(await outcome(key)).toEqual([`${REFUSE}: declined ${customerNo}`]);
		await sleepMs(TRIES_WITHIN_MS);
		expect(cameOut(key)).toHaveLength(1);
	}, 150_000);

	it('cannot store what was counted: nothing is approved', async () => {
		const key = 'database, running';
		const people = newPeople(3);
		const id = await called(chain(key, people, stage.ask(question(people))));
		await waits(id);
		await breakSqlite(stage.n8n.userFolder, 'running');
		await own(people[0]);
		await sleepMs(COUNTS_WITHIN_MS);
		await mendSqlite(stage.n8n.userFolder);
		await own(people[0]);
		await press(people[1]);
		await sleepMs(COUNTS_WITHIN_MS);
		expect(cameOut(key)).toEqual([]);
	}, 150_000);
});

describe('6. n8n killed with -9', () => {
	const KEPT = { saveDataErrorExecution: 'all', saveExecutionProgress: true };

	async function killAndBoot(): Promise<void> {
		await stage.n8n.kill();
		await stage.n8n.boot();
		await stage.n8n.webhookUrl(stage.triggerPath);
	}

	it('while it waits, and while signed answers are kept: only those are carried out, once', async () => {
		const key = 'killed, kept';
		const [customerNo = '', declining = ''] = newPeople(2);
		const ids: string[] = [];
		for (const each of [customerNo, declining]) {
			const id = await called(chain(key, [each], stage.ask(question([each]))), KEPT);
			await waits(id);
			ids.push(id);
		}
		await breakSqlite(stage.n8n.userFolder, 'waiting');
		await own(customerNo);
		await own(declining, { button: 'Decline' });
		// What is not stored is tried for a minute, and kept then.
		await sleepMs(75_000);
		await stage.n8n.kill();
		await mendSqlite(stage.n8n.userFolder);
		await stage.n8n.boot();
		await stage.n8n.webhookUrl(stage.triggerPath);
		expect(cameOut(key)).toEqual([]);
		// Any call has what is kept passed on.
		await press(declining, { by: COMPANY });
		expect((await outcome(key, 2)).sort()).toEqual([
			`${REFUSE}: declined ${declining}`,
			`${AFTER}: approved ${customerNo}`,
		]);
		await sleepMs(TRIES_WITHIN_MS);
		expect(cameOut(key)).toHaveLength(2);
	}, 240_000);

	it.each([
		['as it was', false],
		['with the current workflow', true],
	])(
		'while a signed answer is counted, retried %s: everybody has to sign anew',
		async (what, loadWorkflow) => {
			const key = `killed ${what}`;
			const people = newPeople(3);
			const id = await called(chain(key, people, stage.ask(question(people))), KEPT);
			await waits(id);
			await own(people[0]);
			await newestOf(id, 'running');
			await killAndBoot();
			const execution = await newestOf(id, 'crashed', 'error');
			void post(`/rest/executions/${execution}/retry`, { loadWorkflow }).catch(() => undefined);
			for (const customerNo of people) await hasGot(customerNo, 2);
			await waits(id);
			for (const customerNo of people) await attack(customerNo, COMPANY, 2);
			// What was signed for the first question fits no second one.
			await own(people[1]);
			await sleepMs(COUNTS_WITHIN_MS);
			expect(cameOut(key)).toEqual([]);
			for (const customerNo of people.slice(1)) {
				await waits(id);
				await own(customerNo, { count: 2 });
				await sleepMs(COUNTS_WITHIN_MS);
			}
			expect(await outcome(key)).toEqual([`${AFTER}: approved ${people[1]} ${people[2]}`]);
		},
		200_000,
	);

	it.each([
		['as it was', false],
		['with the current workflow', true],
	])(
		'retried from the list %s while it waits: over at once, and the question goes on',
		async (what, loadWorkflow) => {
			const key = `retried ${what}`;
			const [customerNo = ''] = newPeople();
			const id = await called(chain(key, [customerNo], stage.ask(question([customerNo]))));
			const execution = await waits(id);
			await post(`/rest/executions/${execution}/retry`, { loadWorkflow });
			expect(await outcome(key)).toEqual([`${GIVE_UP}: expired`]);
			await attack(customerNo);
			expect(cameOut(key)).toHaveLength(1);
			await own(customerNo);
			expect(await outcome(key, 2)).toContain(`${AFTER}: approved ${customerNo}`);
		},
		120_000,
	);
});

describe('7. the deadline', () => {
	it('a wrong signature at the deadline is no answer; a signed one given before it counts, up to 10 seconds later', async () => {
		const key = 'deadline';
		const people = newPeople(3);
		const asked: string[] = [];
		const deadlines: number[] = [];
		for (const customerNo of people) {
			const parameters = question([customerNo], fromItem, endsWithin(8, 'seconds'));
			asked.push(await called(chain(key, [customerNo], stage.ask(parameters))));
			deadlines.push((await hasGot(customerNo)).deliveredAt + 8_000);
		}
		const [forged, early, late] = people;
		for (const id of asked) await waits(id);
		await sleepMs(Math.max(...deadlines) + 500 - Date.now());
		await press(forged, { by: COMPANY, at: Date.now() - 3_000 });
		await press(forged, { at: Date.now() - 3_000 });
		await own(late);
		await own(early, { at: Math.min(...deadlines) - 2_000 });
		expect((await outcome(key, 3)).sort()).toEqual([
			`${GIVE_UP}: expired`,
			`${GIVE_UP}: expired`,
			`${AFTER}: approved ${early}`,
		]);
		await own(forged);
		await sleepMs(TRIES_WITHIN_MS);
		expect(cameOut(key)).toHaveLength(3);
	}, 150_000);
});

describe('8. ways around a node', () => {
	it('a loop over items: each turn has its own key, and no signature of an earlier turn counts', async () => {
		const key = 'loop';
		const people = newPeople(3);
		const list = people.map((no) => ({ ...claimFor([no]), no, key: constant(no) }));
		const turns = loop();
		const parameters = {
			...question(['']),
			customerNo: '={{ $json.no }}',
			options: {
				requireSignedPayload: true,
				personKeys: '={{ $json.key }}',
				...endsWithin(10, 'minutes'),
			},
		};
		const asking = stage.ask(parameters, EVERYTHING);
		const id = await called([
			[set(CLAIMING, { list }), splitOut('list'), turns],
			[output(turns, 1), asking],
			...branches(asking, tellers(key), turns),
		]);
		for (const [index, customerNo] of people.entries()) {
			await hasGot(customerNo);
			await waits(id);
			await attack(customerNo, phoneOf(people[index - 1] ?? people[2]));
			await own(people[index - 1]).catch(() => undefined);
			expect(cameOut(key)).toHaveLength(index);
			await own(customerNo);
			await outcome(key, index + 1);
		}
		expect(cameOut(key)).toEqual(people.map((no) => `${AFTER}: approved ${no}`));
	}, 200_000);

	it.each([
		['On Error: Stop', {}, undefined],
		['On Error: Continue', { onError: 'continueRegularOutput' }, GIVE_UP],
		['an error output', { onError: 'continueErrorOutput' }, FAILED],
	])(
		'%s: what cannot be asked leaves through no approval, and nothing is sent',
		async (what, settings, from) => {
			const wrong: Array<[string, Fields, Fields]> = [
				['no key', { personKeys: '={{ $json.nothing }}' }, {}],
				['null', { personKeys: '={{ null }}' }, {}],
				['no list', { personKeys: '={{ [] }}' }, {}],
				['another node', { personKeys: "={{ $('Nowhere').item.json.key }}" }, {}],
				['undecided', { requireSignedPayload: '={{ $json.nothing }}' }, {}],
				['Always Output Data', {}, { alwaysOutputData: true }],
			];
			for (const [why, options, more] of wrong) {
				const key = `${why}, ${what}`;
				const [customerNo = ''] = newPeople();
				const asking = stage.ask(question([customerNo], fromItem, options), {
					...RETRY,
					...settings,
					...more,
				});
				const id = await called(chain(key, [customerNo], asking));
				await newestOf(id, 'success', 'error');
				expect([why, cameOut(key)]).toEqual([why, from ? [`${from}: error`] : []]);
				expect(got([customerNo])).toEqual([0]);
			}
		},
		200_000,
	);

	it('several people of whom one has no key, or an empty one: nobody is asked', async () => {
		const none = ['', '={{ $json.nothing }}', '={{ null }}', '={{ [] }}', '='];
		for (const [index, missing] of none.entries()) {
			const key = `missing ${index}`;
			const people = newPeople(3);
			const [, , last] = people;
			const keyOf: KeyOf = (no) => (no === last ? missing : fromItem(no));
			const asking = stage.ask(question(people, keyOf), EVERYTHING);
			await called(chain(key, people, asking));
			expect(await outcome(key)).toEqual([`${FAILED}: error`]);
			expect(got(people)).toEqual([0, 0, 0]);
		}
	}, 200_000);
});
