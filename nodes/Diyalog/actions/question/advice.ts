import type { ICredentialDataDecryptedObject, IExecuteFunctions } from 'n8n-workflow';
import { hasTakenCall } from '../../trigger/callsTaken';
import type { Wait } from '../../wait/decide';
import { canAnswer } from '../../wait/people';
import { hintsOf } from '../hints';

/*
 * Advice beside the output of a question. n8n shows it as long as the execution waits, and drops it when that goes on.
 */

const NO_CALL =
	'This n8n process has had no call from Diyalog with this App Secret since it started. So the answer may not arrive. Check that the workflow with the trigger is published. Check that server.conf has its Production URL. Check that app_secret in server.conf is the App Secret of the credential.';

/** Who of several people cannot answer; undefined when everybody can. */
function unreachedHint({ group }: Wait): string | undefined {
	if (!group) return undefined;
	const { length: asked } = group.people;
	const { length: unreached } = group.people.filter((person) => !canAnswer(person));
	return unreached === 0
		? undefined
		: `${unreached} of ${asked} people cannot answer. The field unreached lists them with the reason.`;
}

/**
 * Says why a question may end without an answer.
 *
 * @param wait what is waited for, with what became of the messages
 */
export function adviseWhileWaiting(
	context: IExecuteFunctions,
	{ appSecret }: ICredentialDataDecryptedObject,
	wait: Wait,
): void {
	const hint = hintsOf(context);
	hint(unreachedHint(wait));
	// Only where somebody looks on: with several processes another one may take the calls.
	if (context.getMode() !== 'manual' || wait.expectation.kind === 'link') return;
	if (!hasTakenCall(String(appSecret ?? ''))) hint(NO_CALL);
}
