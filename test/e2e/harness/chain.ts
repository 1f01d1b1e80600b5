import type { ChatServer } from '../../support/chatServer';
import { endsWithin } from '../../support/endsWithin';
import type { Asked, AskingWorkflow, Stage } from './waiting';
import { branches, deed } from './workflows';
import type { Fields } from './workflows';

/* An execution that asks twice, and tells what it has carried out. */

/** Ask the customer -> Transfer / Give up / Refuse, and behind each of them a second question. */
export async function createChain(
	stage: Stage,
	{ toolUrl }: ChatServer,
	key: string,
	parameters: Fields,
): Promise<AskingWorkflow> {
	const first = stage.ask(parameters);
	const second = stage.ask(
		{ message: 'And the second?', options: endsWithin(10, 'minutes') },
		{ name: 'Ask again' },
	);
	const tell = (...names: string[]) => names.map((name) => [deed(name, toolUrl, key)]);
	return await stage.createCalled([
		[first],
		...branches(first, tell('Transfer', 'Give up', 'Refuse'), second),
		...branches(second, tell('Second approved', 'Second expired', 'Second declined')),
	]);
}

/** What was carried out, in order. */
export const deedsOf = ({ deeds }: ChatServer, key: string): string[] =>
	deeds
		.map((each) => each as { key: string; from: string; item: { decision: string } })
		.filter((each) => each.key === key)
		.map(({ from, item }) => `${from}: ${item.decision}`);

export const linksOf = ({ message }: Asked): string[] =>
	message.buttonsV2?.map(({ payload }) => payload ?? '') ?? [];
