import type { Button } from './buttons';
import type { CarouselElement, QuickReply } from './sendmessage';

/** Diyalog's client does not show what goes beyond. */
export const DRAWN_BUTTONS = 3;

/** What can be tapped in a message. */
export interface Choice {
	title: string;
	payload: string;
	payloadHidden?: boolean;
	payloadSeenByUser?: string;
	/** A web_url. */
	opensAddress: boolean;
	/** Stands in the brackets of the press. */
	messageId: string;
	/** Which of its list's buttons it is, from 1. */
	position: number;
	isDrawn: boolean;
}

interface Choosable {
	messageId: string;
	templateMessageId?: string;
	buttonsV2?: readonly Button[];
	quickReplies?: readonly QuickReply[];
	elements?: readonly CarouselElement[];
}

/** All choices of a message; those of a carousel one card after the other. */
export function choicesOf(message: Choosable): Choice[] {
	const { messageId, templateMessageId = messageId } = message;
	const { buttonsV2 = [], quickReplies = [], elements = [] } = message;
	return [
		...buttonsV2.map((button, index) => ofButton(button, index, templateMessageId)),
		...quickReplies.map((reply, index) => ({
			...reply,
			opensAddress: false,
			messageId,
			position: index + 1,
			isDrawn: true,
		})),
		...elements.flatMap((element) =>
			element.buttonsV2.map((button, index) =>
				ofButton(button, index, element.messageId ?? messageId),
			),
		),
	];
}

function ofButton(button: Button, index: number, messageId: string): Choice {
	return {
		...button,
		opensAddress: button.type === 'web_url',
		messageId,
		position: index + 1,
		isDrawn: index < DRAWN_BUTTONS,
	};
}
