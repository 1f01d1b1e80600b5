import { failureError } from '../../../../nodes/Diyalog/actions/errors';
import { explainThrown } from '../../../../nodes/Diyalog/transport/client';
import { explainNoResponse } from '../../../../nodes/Diyalog/transport/failures';
import { https } from '../../../../tools/system';
import { FaultyTlsServer } from '../../../support/faultyTlsServer';

/* A connection that TLS breaks off, before and after the request has arrived. */

let server: FaultyTlsServer;

beforeAll(async () => (server = await FaultyTlsServer.start()));
afterAll(async () => await server.close());

/** Posts a message and gives what Node throws. */
const thrownBy = async (trusts: boolean): Promise<Error> =>
	await new Promise((resolve, reject) => {
		const request = https.request(server.url, {
			method: 'POST',
			rejectUnauthorized: !trusts,
			agent: false,
		});
		request.once('error', resolve);
		request.once('response', () => reject(new Error('There was an answer')));
		request.end('{"messageId":"transfer-18"}');
	});

const RECORDS: Array<[string, Buffer]> = [
	['a record that cannot be decrypted', Buffer.from(`1703030020${'ab'.repeat(32)}`, 'hex')],
	['an alert', Buffer.from('15030300020228', 'hex')],
	['an answer without TLS', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')],
	['a record that is too long', Buffer.from('170303ffff00', 'hex')],
];

it.each(RECORDS)('1. %s after the request has arrived: uncertain', async (_what, bytes) => {
	server.breakWith = bytes;
	const before = server.delivered;
	const thrown = await thrownBy(true);
	expect(server.delivered).toBe(before + 1);
	expect('code' in thrown && thrown.code).toMatch(/^ERR_SSL|^EPROTO|^ECONNRESET/);
	const failure = explainThrown(thrown);
	expect(failure).toMatchObject({ kind: 'noAnswer', uncertain: true });
	expect(failure.repeatable).toBeUndefined();
	expect(JSON.stringify(failure)).not.toContain('Nothing was sent');
});

it('2. a certificate that is not trusted: nothing of the request is sent, many times', async () => {
	const before = server.delivered;
	for (let round = 0; round < 20; round++) {
		const failure = explainThrown(await thrownBy(false));
		expect(failure).toMatchObject({ kind: 'insecureConnection' });
		expect(failure.uncertain).toBeUndefined();
	}
	expect(server.delivered).toBe(before);
});

it.each([
	'ERR_SSL_DECRYPTION_FAILED_OR_BAD_RECORD_MAC',
	'ERR_SSL_SSLV3_ALERT_CERTIFICATE_REQUIRED',
	'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED',
	'ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE',
	'ERR_TLS_RENEGOTIATION_DISABLED',
	'ERR_TLS_HANDSHAKE_TIMEOUT',
])('3. %s: uncertain', (code) => {
	expect(explainNoResponse(code)).toMatchObject({ uncertain: true });
});

it('4. the message of the error says that the message may have been delivered', () => {
	const node = {
		id: '1',
		name: 'Diyalog',
		type: 'n8n-nodes-diyalog.diyalog',
		typeVersion: 1,
		position: [0, 0] as [number, number],
		parameters: {},
	};
	const messageOf = (code: string) => failureError(node, explainNoResponse(code), 0).message;
	expect(messageOf('ECONNRESET')).toContain('the message may have been delivered');
	expect(messageOf('ECONNREFUSED')).not.toContain('may have been delivered');
});
