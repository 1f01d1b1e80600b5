import { OneN8n } from '../../../support/oneN8n';
import { sleepMs } from '../../../../tools/system';
let n8n: OneN8n;
beforeEach(async () => { n8n = await OneN8n.start(); });
afterEach(async () => { await n8n.close(); });
it('G. Cancelled fails alone at the receiver: Approved, Cancelled, Approved', async () => {
	const run = async (id: string, options = {}) =>
		await n8n.run(id, {
			credentials: { appSecret: 's'.repeat(32), statusCallbackToken: 'callback' },
			parameters: { events: ['statusCallback'], options },
		});
	const second = await run('second');
	const first = await run('first', { alsoPassOnTo: [second.url] });
	n8n.faults.set('/webhook/second/', { status: 403, text: 'Forbidden', ifHolding: 'Cancelled' });
	const say = async (status: string) =>
		(await fetch(n8n.urlOf('first', 'updatemokstatus'), {
			method: 'POST',
			headers: { 'content-type': 'application/json', 'auth-token': 'callback' },
			body: JSON.stringify({ messageId: 'm', status, customerNo: '1', secretData: '' }),
		})).status;
	for (const status of ['Approved', 'Cancelled', 'Approved']) {
		console.log('G', status, await say(status));
		await sleepMs(500);
	}
	n8n.faults.clear();
	await sleepMs(15_000);
	const of = (t: typeof first) => t.server.executions.flat().map(({ status }) => status);
	console.log('G first', of(first), 'second', of(second), first.trigger.log, second.trigger.log, 'kept', String(first.trigger.staticData.keptCalls ?? '').length);
	expect(of(second).filter((s) => s === 'Approved')).toHaveLength(2);
}, 60_000);
