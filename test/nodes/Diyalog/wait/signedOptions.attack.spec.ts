import { randomBytes } from 'node:crypto';
import type { IDataObject, INodeParameters } from 'n8n-workflow';
import type { StoredMessage } from '../../../../sandbox/diyalog';
import { startSandbox } from '../../../../sandbox/server';
import type { Sandbox } from '../../../../sandbox/server';
import { fs, path, projectRoot } from '../../../../tools/system';
import { formatNamed, newPhone } from '../../../support/signedFormats';
import type { Format } from '../../../support/signedFormats';
import { WaitingInstance } from '../../../support/waitingInstance';
import type { WaitingExecution } from '../../../support/waitingInstance';

/* Require Signed Payload, entered in ways that the editor does not offer. */

const SECRET = randomBytes(16).toString('hex');
const PEOPLE = [
	{ customerNo: '70021', userId: '2074022437' },
	{ customerNo: '70022', userId: '2074022438' },
	{ customerNo: '70023', userId: '2074022439' },
] as const;

const COMPANY = newPhone();

let sandbox: Sandbox;
let instance: WaitingInstance;
let credentials: Record<string, string | boolean>;

beforeEach(async () => {
	instance = await WaitingInstance.start();
	sandbox = await startSandbox({
		customers: [...PEOPLE],
		bots: [{ name: 'bot', token: 'bot-token', webhook: { appSecret: SECRET } }],
	});
});

afterEach(async () => {
	expect(instance.escaped).toEqual([]);
	await sandbox.close();
	await instance.close();
});

/** What the app signs, and an active trigger with the same credential unless it has another one. */
async function use(
	{ settings }: Format,
	others: Record<string, string | boolean> = { payloadSignatureKeys: 'person' },
	ofTrigger: Record<string, string | boolean> = {},
): Promise<void> {
	credentials = {
		serverUrl: sandbox.url,
		botToken: 'bot-token',
		appSecret: SECRET,
		...settings,
		...others,
	};
	await instance.serveTrigger({
		credentials: { ...credentials, ...ofTrigger },
		parameters: {
			events: ['buttonPressed'],
			authentication: 'signature',
			filters: {},
			options: {},
		},
	});
}

interface Asked {
	execution: WaitingExecution;
	messages: StoredMessage[];
}

async function ask(parameters: INodeParameters, input: IDataObject = {}): Promise<Asked> {
	const before = sandbox.messages().length;
	const execution = await instance.ask(credentials, parameters, input);
	return { execution, messages: sandbox.messages().slice(before) };
}

function sentPayload({ messages }: Asked, to = 0, button = 0): string {
	const payload = messages[to]?.buttonsV2?.[button]?.payload;
	if (payload === undefined) throw new Error('There is no such button');
	return payload;
}

/* n8n drops what is no object before a node is asked; the node cannot see it. docs/security.md says so under Not protected. */
it('1. all options as one expression: n8n passes none of them on, as is documented, so the question is an unsigned one', async () => {
	await use(formatNamed('payload, separator, signature'), {
		payloadSignatureKeys: 'company',
		payloadSignaturePublicKey: COMPANY.publicKey,
	});
	const asked = await ask({ options: '={{ { requireSignedPayload: true } }}' });
	expect(sentPayload(asked)).not.toContain('~');
	const text = await fs.readFile(path.join(projectRoot, 'docs/security.md'), 'utf8');
	expect(text).toContain('**Options as one expression are no options.**');
});

it("2. Whose Key as an expression that gives nothing: the credential's key does not take the place of the person's own", async () => {
	credentials = {
		serverUrl: sandbox.url,
		botToken: 'bot-token',
		appSecret: SECRET,
		...formatNamed('payload, separator, signature').settings,
		payloadSignaturePublicKey: COMPANY.publicKey,
		payloadSignatureKeys: '={{ $vars.whoseKey }}',
	};
	await ask({ options: { requireSignedPayload: true } }).catch(() => undefined);
	expect(sandbox.messages()).toEqual([]);
});
