import { z } from 'zod';
import { buttonSchema } from './buttons';
import type { Button } from './buttons';
import { readFile } from './documents';
import type { DocumentFile } from './documents';
import { parseBody } from './refusals';

const MAX_QUICK_REPLIES = 11;
const MAX_ELEMENTS = 10;

/** Mandatory leftovers of earlier versions: they have to be there, and have to be empty. */
const emptyArray = z.array(z.unknown()).max(0, 'must be there and empty');
const whole = z.number().int().min(0);

const recipientSchema = z
	.object({
		appCustomerId: z.string().optional(),
		appStaffId: z.string().optional(),
		id: z.string().optional(),
	})
	.refine(
		(names) => Object.values(names).filter((name) => name !== undefined).length === 1,
		'exactly one of appCustomerId, appStaffId and id has to be there',
	);

const quickReplySchema = z.object({
	contentType: z.literal('text'),
	title: z.string(),
	payload: z.string(),
	payloadHidden: z.boolean().optional(),
	payloadSeenByUser: z.string().optional(),
	imageUrl: z.string().optional(),
});

const elementSchema = z.object({
	title: z.string().optional(),
	subtitle: z.string().optional(),
	imageUrl: z.string().optional(),
	messageId: z.string().optional(),
	buttons: emptyArray,
	// More than three are taken: it is the phone that does not draw them.
	buttonsV2: z.array(buttonSchema),
});

const templateSchema = z.discriminatedUnion('templateType', [
	z.object({
		templateType: z.literal('button'),
		messageId: z.string(),
		text: z.string(),
		buttons: emptyArray,
		buttonsV2: z.array(buttonSchema),
		elements: emptyArray,
	}),
	z.object({
		templateType: z.literal('generic'),
		elements: z.array(elementSchema).min(1).max(MAX_ELEMENTS),
		buttons: emptyArray,
		buttonsV2: emptyArray,
	}),
]);

const documentSchema = z
	.object({
		fileName: z.string(),
		fileData: z.string(),
		mimeType: z.string().optional(),
		photo: z.object({ width: whole, height: whole }).optional(),
		video: z.object({ width: whole, height: whole, duration: whole }).optional(),
		voice: z.object({ duration: whole }).optional(),
	})
	.refine(
		({ photo, video, voice }) => [photo, video, voice].filter(Boolean).length <= 1,
		'at most one of photo, video and voice may be there',
	);

const triggerSchema = z.object({ command: z.string(), data: z.string() });

const messageSchema = z
	.object({
		messageId: z.string().optional(),
		quickReplies: emptyArray,
		quickRepliesV2: z.array(quickReplySchema).max(MAX_QUICK_REPLIES),
		text: z.string().optional(),
		attachment: z.object({ type: z.literal('template'), payload: templateSchema }).optional(),
		document: documentSchema.optional(),
		trigger: triggerSchema.optional(),
	})
	.superRefine((message, context) => {
		const { text, attachment, document, trigger, quickRepliesV2 } = message;
		const say = (problem: string) => context.addIssue({ code: 'custom', message: problem });
		const bodies = [trigger ?? text, attachment, document].filter((body) => body !== undefined);
		if (bodies.length !== 1) say('exactly one of text, attachment and document has to be there');
		if (trigger && text === undefined) say('a trigger needs a text');
		const takesReplies = text !== undefined && !trigger;
		if (quickRepliesV2.length > 0 && !takesReplies) say('quick replies go with a text alone');
	});

const requestSchema = z.object({ recipient: recipientSchema, message: messageSchema });

export type Recipient = z.infer<typeof recipientSchema>;
export type QuickReply = z.infer<typeof quickReplySchema>;
export type CarouselElement = z.infer<typeof elementSchema>;
export type AppTrigger = z.infer<typeof triggerSchema>;

export type SentKind = 'text' | 'quickReplies' | 'buttons' | 'carousel' | 'document' | 'appTrigger';

/** What SendMessage brings to a phone. The kind says which of the other fields are there. */
export interface SentContent {
	kind: SentKind;
	/** Of texts, quick replies, buttons and app triggers. */
	text?: string;
	quickReplies?: QuickReply[];
	/** Of a button template. */
	buttonsV2?: Button[];
	/** The id inside a button template: presses carry it. */
	templateMessageId?: string;
	/** Of a carousel. */
	elements?: CarouselElement[];
	document?: DocumentFile;
	trigger?: AppTrigger;
}

/** SendMessage's body. Throws a Refusal in the documented words. */
export function parseMessage(contentType: string | undefined, rawBody: unknown) {
	const { recipient, message } = parseBody(requestSchema, contentType, rawBody);
	const content = contentOf(message);
	return { recipient, messageId: message.messageId ?? content.templateMessageId, content };
}

function contentOf(message: z.infer<typeof messageSchema>): SentContent {
	const { text, attachment, document, trigger, quickRepliesV2 } = message;
	const template = attachment?.payload;
	if (template?.templateType === 'generic')
		return { kind: 'carousel', elements: template.elements };
	if (template) {
		const { messageId, buttonsV2 } = template;
		return { kind: 'buttons', text: template.text, buttonsV2, templateMessageId: messageId };
	}
	if (document) return { kind: 'document', document: readFile(document) };
	if (trigger) return { kind: 'appTrigger', text, trigger };
	if (quickRepliesV2.length === 0) return { kind: 'text', text };
	return { kind: 'quickReplies', text, quickReplies: quickRepliesV2 };
}
