import { NodeOperationError } from 'n8n-workflow';
import type { IHookFunctions } from 'n8n-workflow';
import { createPayloadVerifier } from '../deviceSignature/verifier';
import { listProblemOf, resumeKeptCalls } from './otherTriggers';
import { isOrigin } from './selfCall';
import { readTriggerSecrets, readTriggerSettings } from './settings';
import type { Problem, TriggerSecrets, TriggerSettings } from './settings';
import { overwritingProblem } from './staticDataWriters';

function missingSecret(
	{ authentication, events }: TriggerSettings,
	{ appSecret, previousAppSecret, statusCallbackToken }: TriggerSecrets,
): Problem | undefined {
	if (authentication === 'none') return undefined;
	if (appSecret === '' && previousAppSecret === '') {
		return {
			title: 'The App Secret of the credential is empty',
			advice:
				'Enter it in the Diyalog API credential. It is app_secret of the webhook in server.conf. Without it anybody could forge a press.',
		};
	}
	if (events.includes('statusCallback') && statusCallbackToken === '') {
		return {
			title: 'The Status Callback Token of the credential is empty',
			advice:
				'Enter the Auth-Token that the Diyalog server sends with its status callbacks, or take Status Callback out of the events.',
		};
	}
	return undefined;
}

function problemOf(
	settings: TriggerSettings,
	credential: Readonly<Record<string, unknown>>,
): Problem | undefined {
	if (settings.events.length === 0) {
		return {
			title: 'No event is chosen',
			advice: 'Choose at least one of the Events. Otherwise nothing would start this workflow.',
		};
	}
	if (settings.options.n8nAddress !== '' && !isOrigin(settings.options.n8nAddress)) {
		return {
			title: 'N8n Address is not the address of a server',
			advice:
				'Enter protocol, host and port without a path, e.g. http://127.0.0.1:5678, or leave it empty.',
		};
	}
	const missing = missingSecret(settings, readTriggerSecrets(credential));
	if (missing) return missing;
	const verifier = createPayloadVerifier(credential);
	if (!verifier.ok) return verifier;
	if (!settings.options.onlySigned) return undefined;
	if ((credential.payloadSignature ?? 'none') === 'none') {
		return {
			title: 'Only Signed Presses is on, but the credential checks no signatures',
			advice:
				'Choose in the Diyalog API credential how payloads are signed, or turn the option off. Otherwise no press would start this workflow.',
		};
	}
	if (
		credential.payloadSignatureKeys !== 'person' &&
		credential.payloadSignature !== 'signatureOnly'
	)
		return undefined;
	return {
		title: 'Only Signed Presses is on, but a trigger cannot check these signatures',
		advice:
			'A trigger does not know the keys of each person, or the payloads that were sent. Turn the option off. A question with Require Signed Payload checks its answers itself. In a workflow, the operation Verify of the resource Signed Payload checks a press.',
	};
}

/**
 * Refuses to activate a trigger that could not tell Diyalog's calls from forged ones, or that nothing would start. One that can be
 * activated goes on passing kept calls on to others.
 *
 * @throws NodeOperationError that says what is missing
 */
export async function requireUsableSettings(context: IHookFunctions): Promise<void> {
	const reading = readTriggerSettings(context);
	if (!reading.ok) return refuse(context, reading);
	const { value: settings } = reading;
	const credential = await context.getCredentials('diyalogApi');
	const problem =
		problemOf(settings, credential) ??
		listProblemOf(context, settings) ??
		overwritingProblem(context);
	if (problem) refuse(context, problem);
	resumeKeptCalls(context, settings, readTriggerSecrets(credential));
}

function refuse(context: IHookFunctions, { title, advice }: Problem): never {
	// n8n shows the message alone when a workflow cannot be published, and logs none when other triggers of it can (2.41).
	const message = `${title}. ${advice}`;
	// It is asked when a workflow is published, and when somebody listens in the editor.
	context.logger.error(`Diyalog Trigger cannot listen: ${message}`);
	throw new NodeOperationError(context.getNode(), message);
}
