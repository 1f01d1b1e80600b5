import { z } from 'zod';
import { nodesRun } from '../../tools/n8n/executions';
import { sleepMs } from '../../tools/system';
import { Stage } from './harness/waiting';
import type { Asked, AskingWorkflow } from './harness/waiting';
import { noOp, node, output } from './harness/workflows';

/*
 * A transfer that only the customer's own phone can approve, in a real n8n. Each phone of the sandbox has a key of its own; the
 * workflow asks for the customer's public key over HTTP, as it would ask the company's database.
 */

const SEPARATED = {
	payloadSignatureMethod: 'ecdsaSha256',
	payloadSignatureEncoding: 'hex',
	payloadSignatureBinding: false,
};

const evidenceSchema = z.object({
	decision: z.literal('approved'),
	payloadSignature: z.literal('valid'),
	evidence: z.object({ keyThumbprint: z.string(), signedPayload: z.string(), text: z.string() }),
});

describe.each([
	{
		what: 'a JWS that names the message',
		signData: { scheme: 'jws', algorithm: 'ES256' },
		credential: { payloadSignature: 'jws', payloadSignatureAlgorithm: 'ES256' },
		personKeys: '={{ $json.pem }}',
	},
	{
		what: 'a signature alone, over the payload alone',
		signData: {
			scheme: 'signatureOnly',
			algorithm: 'ES256',
			encoding: 'hex',
			bindMessageId: false,
		},
		credential: { payloadSignature: 'signatureOnly', ...SEPARATED },
		personKeys: '={{ $json.spki }}',
	},
	{
		what: 'JSON with payload and signature',
		signData: { scheme: 'json', algorithm: 'ES256', encoding: 'hex', bindMessageId: false },
		credential: { payloadSignature: 'json', ...SEPARATED },
		personKeys: '={{ [$json.jwk] }}',
	},
] as const)('$what', ({ signData, credential, personKeys }) => {
	let stage: Stage;
	let workflow: AskingWorkflow;

	beforeAll(async () => {
		stage = await Stage.set({
			credential: { ...credential, payloadSignatureKeys: 'person' },
			sandbox: { signData: { ...signData, keys: 'perPhone' } },
		});
		const database = node('Customer database', 'n8n-nodes-base.httpRequest', 4.2, {
			url: `${stage.sandbox.url}/sandbox/key?customerNo=70021`,
			options: {},
		});
		const question = stage.ask({
			message: 'Pay 250 TL?',
			options: { requireSignedPayload: true, personKeys },
		});
		workflow = await stage.createCalled([
			[database, question, stage.carryOut()],
			[output(question, 2), noOp('Declined')],
		]);
	}, 900_000);

	afterAll(async () => {
		await stage?.clear();
	}, 60_000);

	afterEach(
		() =>
			void stage.sandbox.setFaults({
				signDataUnsupported: false,
				forgeSignature: false,
				otherPhonesKey: false,
				replaySignature: false,
			}),
	);

	async function keepsWaiting(asked: Asked): Promise<void> {
		const reported = await stage.triggeredFor(asked.message.messageId);
		expect(reported).not.toContainEqual(expect.objectContaining({ resumed: true }));
		await sleepMs(500);
		expect(await asked.status()).toBe('waiting');
	}

	async function approves(asked: Asked): Promise<void> {
		await stage.press(asked.message, 'Approve');
		const record = await asked.record();
		expect(nodesRun(record)).not.toContain('Declined');
		const outcome = evidenceSchema.parse(await asked.outcome());
		const { thumbprint } = stage.sandbox.phoneKey({ customerNo: '70021' });
		expect(outcome.evidence).toMatchObject({ text: 'Pay 250 TL?', keyThumbprint: thumbprint });
	}

	it.each(['signDataUnsupported', 'forgeSignature', 'otherPhonesKey'] as const)(
		'%s: it keeps waiting, and the own phone approves',
		async (fault) => {
			const asked = await workflow.start();
			stage.sandbox.setFaults({ [fault]: true });
			await stage.press(asked.message, 'Approve');
			await keepsWaiting(asked);
			stage.sandbox.setFaults({ [fault]: false });
			await approves(asked);
		},
	);

	it('a signature of an earlier question is replayed: it keeps waiting', async () => {
		await approves(await workflow.start());
		const asked = await workflow.start();
		stage.sandbox.setFaults({ replaySignature: true });
		await stage.press(asked.message, 'Approve');
		await keepsWaiting(asked);
		stage.sandbox.setFaults({ replaySignature: false });
		await approves(asked);
	});

	it('Verify Signed Payload: each payload leaves through its branch', async () => {
		const of = (field: string): string => `={{ $json.body.${field} }}`;
		const verify = stage.send(
			{
				resource: 'signedPayload',
				operation: 'verify',
				payload: of('payload'),
				messageId: of('messageId'),
				customerNo: of('customerNo'),
				signedText: of('signedText'),
				signatureSettings: 'person',
				personKeys: of('key'),
			},
			{ name: 'Verify' },
		);
		const verifying = await stage.createCalled([
			[verify, noOp('Right')],
			[output(verify, 1), noOp('Wrong')],
		]);
		const { message } = await workflow.start();
		await stage.press(message, 'Approve');
		const [event] = z
			.array(z.object({ payload: z.string(), messageId: z.string(), customerNo: z.string() }))
			.parse(await stage.triggeredFor(message.messageId));
		const signedText = message.buttonsV2?.[0]?.payload;
		const keyOf = (customerNo: string) => stage.sandbox.phoneKey({ customerNo }).jwk;
		const right = { ...event, signedText, key: keyOf('70021') };
		const ways = async (body: object): Promise<string[]> =>
			nodesRun(await verifying.run(body)).filter((name) => ['Right', 'Wrong'].includes(name));
		expect(await ways(right)).toEqual(['Right']);
		expect(await ways({ ...right, key: keyOf('70022') })).toEqual(['Wrong']);
		expect(await ways({ ...right, payload: `${event?.payload.slice(0, -4)}AAAA` })).toEqual([
			'Wrong',
		]);
		expect(await ways({ ...right, payload: 'approve' })).toEqual(['Wrong']);
	});

	it('a decline has to be signed as well', async () => {
		const asked = await workflow.start();
		stage.sandbox.setFaults({ forgeSignature: true });
		await stage.press(asked.message, 'Decline');
		await keepsWaiting(asked);
		stage.sandbox.setFaults({ forgeSignature: false });
		await stage.press(asked.message, 'Decline');
		const record = await asked.record();
		expect(nodesRun(record)).toContain('Declined');
		expect(nodesRun(record)).not.toContain('Carry out');
	});
});
