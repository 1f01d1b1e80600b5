import type { IDataObject, INode, IWebhookFunctions } from 'n8n-workflow';
import type * as storedModule from '../../../../nodes/Diyalog/trigger/stored';

/* Two triggers of one workflow. Each call has n8n's data as of its beginning, and n8n saves all of them at its end. */

type Process = typeof storedModule;
type Context = Pick<IWebhookFunctions, 'getNode' | 'getWorkflow' | 'getWorkflowStaticData'>;

interface Call extends Context {
	/** what n8n does when it has replied */
	end: () => void;
}

let database: string;

beforeEach(() => {
	database = '{}';
});

/** n8n begins: what modules have kept is gone. */
function boot(): Process {
	let process: Process | undefined;
	jest.isolateModules(() => {
		process = jest.requireActual<Process>('../../../../nodes/Diyalog/trigger/stored');
	});
	if (!process) throw new Error('n8n did not begin');
	return process;
}

function callOf(name: string): Call {
	const staticData = JSON.parse(database) as Record<string, IDataObject>;
	const node: INode = {
		id: name,
		name,
		typeVersion: 1,
		type: '',
		position: [0, 0],
		parameters: {},
	};
	return {
		getNode: () => node,
		getWorkflow: () => ({ id: 'w', active: true }),
		getWorkflowStaticData: (type) => (staticData[type === 'node' ? `node:${name}` : type] ??= {}),
		end: () => {
			database = JSON.stringify(staticData);
		},
	};
}

/** What is stored of a trigger, read by an n8n that has just begun. */
const storedOf = (name: string): IDataObject => boot().readStored(callOf(name));

function take(process: Process, name: string, fields: IDataObject): void {
	const call = callOf(name);
	process.store(call, fields);
	call.end();
}

it('1. a call of one trigger that lasts longer keeps what the other has taken meanwhile', () => {
	const process = boot();
	const long = callOf('a');
	process.store(long, { seenEvents: 'a1' });
	take(process, 'b', { seenEvents: 'b1' });
	process.storeKnown(long);
	long.end();
	expect([storedOf('a'), storedOf('b')]).toMatchObject([
		{ seenEvents: 'a1' },
		{ seenEvents: 'b1' },
	]);
});

it('2. the same as the first after a restart', () => {
	const before = boot();
	take(before, 'a', { seenEvents: 'a1' });
	take(before, 'b', { seenEvents: 'b1' });
	const process = boot();
	const long = callOf('a');
	process.store(long, { seenEvents: 'a2' });
	take(process, 'b', { seenEvents: 'b2' });
	process.storeKnown(long);
	long.end();
	expect([storedOf('a'), storedOf('b')]).toMatchObject([
		{ seenEvents: 'a2' },
		{ seenEvents: 'b2' },
	]);
});

it('3. what another process has written since is not overwritten by what this one knows', () => {
	const [one, other] = [boot(), boot()];
	take(one, 'b', { seenEvents: 'b1' });
	take(other, 'b', { seenEvents: 'b2' });
	const long = callOf('a');
	one.store(long, { seenEvents: 'a1' });
	long.end();
	take(other, 'b', { seenEvents: 'b3' });
	take(one, 'a', { seenEvents: 'a2' });
	expect(storedOf('b')).toMatchObject({ seenEvents: 'b3' });
});

it('4. two calls of one trigger at once, the first after a restart: each field is as it was written last', () => {
	take(boot(), 'a', { seenEvents: 'a1' });
	const process = boot();
	const [long, short] = [callOf('a'), callOf('a')];
	process.store(long, { seenEvents: 'a2' });
	process.store(short, { keptAnswers: 'k1' });
	short.end();
	process.storeKnown(long);
	long.end();
	expect(storedOf('a')).toMatchObject({ seenEvents: 'a2', keptAnswers: 'k1' });
});

it('5. what an older version has stored under the name of the node is read, and stays', () => {
	database = JSON.stringify({ 'node:a': { seenEvents: 'a1', keptCalls: 'k1' } });
	expect(storedOf('a')).toMatchObject({ seenEvents: 'a1', keptCalls: 'k1' });
	take(boot(), 'a', { seenEvents: 'a2' });
	expect(storedOf('a')).toMatchObject({ seenEvents: 'a2', keptCalls: 'k1' });
});

it('6. a call that has stored nothing keeps what others have taken meanwhile, and has nothing saved if it has all', () => {
	const process = boot();
	take(process, 'a', { seenEvents: 'a1' });
	const long = callOf('a');
	take(process, 'a', { seenEvents: 'a2' });
	take(process, 'b', { seenEvents: 'b1' });
	process.storeKnown(long);
	long.end();
	expect([storedOf('a'), storedOf('b')]).toMatchObject([
		{ seenEvents: 'a2' },
		{ seenEvents: 'b1' },
	]);
	const next = callOf('a');
	Object.freeze(next.getWorkflowStaticData('global'));
	process.storeKnown(next);
	expect(() => process.storeKnown(next, true)).toThrow();
});
