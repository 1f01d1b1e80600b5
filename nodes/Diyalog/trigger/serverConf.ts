import type { INodeProperties, NodeHint } from 'n8n-workflow';

/*
 * What the server's administrator has to enter; no API registers a webhook.
 * Source: https://diyalog-im.github.io/docs/webhook
 */
const SERVER_CONF = [
	'modules { webbots { info : [ {',
	'  botUserName : "USER NAME OF YOUR BOT",',
	'  webhook : {',
	'    id : "OTP",',
	'    url : "PASTE THE PRODUCTION URL HERE",',
	'    app_secret : "PASTE THE APP SECRET HERE",',
	'    verify_token : "",',
	'    subscribed_webhook_events : [',
	'      "Messages", "MessageEchoes",',
	'      "MessageDeliveries", "MessageReads"',
	'    ]',
	'  }',
	'} ] } }',
].join('\n');

/** The panel's help for connecting Diyalog, as a field, because the editor keeps no line breaks in a notice. */
export const serverConfFields: INodeProperties[] = [
	{
		displayName:
			'Give the lines below to the administrator of the Diyalog server. Put the Production URL and the App Secret of the credential in the places in capitals. You find the URL under Webhook URLs above. A workflow that gets its calls by Also Pass On To needs no lines.',
		name: 'serverConfNotice',
		type: 'notice',
		default: '',
	},
	{
		displayName: 'Lines for server.conf',
		name: 'serverConf',
		type: 'string',
		noDataExpression: true,
		typeOptions: { rows: 14 },
		default: SERVER_CONF,
		description: 'Copy these lines for the administrator. A change in this field has no effect.',
	},
];

/** What the canvas says while a step is executed. */
export const LISTENING_TOOLTIP =
	'Waiting for a call to the Test URL. Diyalog itself calls only the Production URL.';

/** What the editor says when the workflow is published. */
export const PUBLISHED_MESSAGE =
	'Each press starts an execution as soon as the administrator of the Diyalog server has entered the Production URL of the Diyalog Trigger. You find the execution in the executions list.';

/** Beside the output as long as it is empty: what n8n says while it listens cannot be changed, and sends people to Diyalog. */
export const LISTENING_HINTS: NodeHint[] = [
	{
		message:
			'Execute step listens at the Test URL, but Diyalog calls the Production URL: a real press does not arrive here. Publish the workflow to get it.',
		type: 'info',
		location: 'outputPane',
		whenToDisplay: 'beforeExecution',
	},
];

/** What an event looks like: n8n asks no trigger with a webhook for sample data, but lets people paste some and pins it. */
const SAMPLE =
	'<b>Before the first press</b>, choose "set mock data" in the output panel and paste <code>[{ "event": "buttonPressed", "messageId": "transfer-17", "payload": "approve", "customerNo": "70021" }]</code>. You can then build the next steps on it.';

/** What the empty panel says. */
export const TRIGGER_PANEL = {
	header: 'Somebody presses a button',
	executionsHelp: {
		inactive:
			SAMPLE +
			' Diyalog knows one URL for each bot, the Production URL. <b>While you build</b>, enter the Test URL from above in Also Pass On To of the published trigger. Choose "Execute step", and tap on a real phone. The sandbox of this package can post to the Test URL too. <b>When it works</b>, publish the workflow. Then each press starts an execution. You find it in the executions list.',
		active:
			SAMPLE +
			' <b>While you build</b>, enter the Test URL from above in Also Pass On To (of this trigger, or of the one that Diyalog calls), and publish that workflow. Choose "Execute step", and tap on a real phone. The sandbox of this package can post to the Test URL too. <b>Your workflow is published</b>: each press on the Production URL starts an execution. You find it in the executions list.',
	},
	activationHint:
		'Publish the workflow and give its Production URL to the administrator of the Diyalog server.',
};
