import type { IAuthenticate, ICredentialType, Icon, INodeProperties } from 'n8n-workflow';
import { payloadSignatureFields } from '../nodes/Diyalog/deviceSignature/fields';
import { authenticateRequest } from '../nodes/Diyalog/transport/authenticate';

export class DiyalogApi implements ICredentialType {
	name = 'diyalogApi';

	displayName = 'Diyalog API';

	icon: Icon = { light: 'file:../icons/diyalog.svg', dark: 'file:../icons/diyalog.dark.svg' };

	documentationUrl = 'https://diyalog-im.github.io/docs/diyalog-messaging-api-sendotp-api';

	properties: INodeProperties[] = [
		{
			displayName: 'Server URL',
			name: 'serverUrl',
			type: 'string',
			required: true,
			// Empty on purpose: a token that is saved with a prefilled address would go to somebody else's server.
			default: '',
			placeholder: 'e.g. https://diyalog.example.com',
			description:
				"The address of your company's Diyalog server. Add the path prefix if the server has one. Leave out /v1. The nodes send the bot token there.",
		},
		{
			displayName: 'Bot Token',
			name: 'botToken',
			type: 'string',
			typeOptions: { password: true },
			required: true,
			default: '',
			description:
				"The bot's access token, from the administrator of the Diyalog server. Anybody with this token can send in the bot's name.",
		},
		{
			displayName: 'App Secret',
			name: 'appSecret',
			type: 'string',
			typeOptions: { password: true },
			default: '',
			description:
				"The app_secret of the bot's webhook in server.conf. The Diyalog Trigger needs it to check that a call comes from Diyalog. Send and Wait for Response needs it for answers in the chat.",
		},
		{
			displayName: 'Previous App Secret',
			name: 'previousAppSecret',
			type: 'string',
			typeOptions: { password: true },
			default: '',
			description:
				'The old App Secret. It is accepted while you change app_secret. Clear this field when no older execution is waiting.',
		},
		{
			displayName: 'Status Callback Token',
			name: 'statusCallbackToken',
			type: 'string',
			typeOptions: { password: true },
			default: '',
			description:
				'The Auth-Token of the older /updatemokstatus callback. Only the event Status Callback of the Diyalog Trigger needs it.',
		},
		...payloadSignatureFields,
	];

	authenticate: IAuthenticate = async (credentials, request) =>
		authenticateRequest(credentials, request);
}
