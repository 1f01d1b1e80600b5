import { postStrangeBodies } from '../support/strangeBodies';
import { ALL_EVENTS } from '../support/webhookBodies';
import { serveTrigger } from '../support/webhookServer';
import { record } from './harness/figures';

/* The trigger over real HTTP, without n8n: very many more bodies than `npm test` generates. */

const SECRET = 'the-app-secret';
const BODIES = 100_000;

it(`takes ${BODIES} bodies of every shape: no error escapes, no forgery is accepted, no press is lost or taken twice`, async () => {
	const server = await serveTrigger({
		parameters: { events: ALL_EVENTS, authentication: 'signature' },
		credentials: { appSecret: SECRET, statusCallbackToken: 'callback' },
	});
	await postStrangeBodies(server, SECRET, BODIES);
	await server.close();
	expect(server.escaped).toEqual([]);
	await record({
		part: 'Attacks',
		what: `${BODIES} generated bodies at the webhook, half of them forged, each beside a press`,
		found: 'no error escaped, no forgery was accepted, no press was lost or taken twice',
		target: 'none',
		met: true,
	});
}, 1_200_000);
