import { z } from 'zod/v4';
import { documentedObject, listFromData } from '../input/json';
import { addProblem } from '../input/problem';
import { messageIdText } from '../input/schemas';
import { buttonsFromData, buttonsSchema, optionalShownText, optionalUrl } from './buttons';
import type { DiyalogButton } from './buttons';

/*
 * A carousel: cards to swipe, each with a picture, texts and buttons.
 * Source: https://diyalog-im.github.io/docs/diyalog-messaging-api-generictemplate
 */

export const MAX_CARDS = 10;

export const cardShape = {
	title: optionalShownText,
	imageUrl: optionalUrl,
	subtitle: optionalShownText,
	/** in place of the message's id, where a button of the card is pressed */
	messageId: messageIdText,
};

/** One card, its fields in the documented order. */
export interface Card {
	title?: string;
	imageUrl?: string;
	subtitle?: string;
	messageId?: string;
	buttons: readonly DiyalogButton[];
}

/** Refuses a card on which there is nothing. */
export function requireContent(card: Card, context: z.RefinementCtx): Card {
	if (card.title ?? card.imageUrl ?? card.subtitle) return card;
	return addProblem(context, 'is empty', 'Give each card a title, a picture or a text.');
}

const cardSchema = z.object({ ...cardShape, buttons: buttonsSchema }).transform(requireContent);

/**
 * Refuses what Diyalog takes no carousel of.
 *
 * @param path of the field within what is checked
 */
export function requireCards(
	cards: readonly Card[],
	context: z.RefinementCtx,
	...path: string[]
): readonly Card[] {
	if (cards.length > 0 && cards.length <= MAX_CARDS) return cards;
	return addProblem(
		context,
		`has ${cards.length} cards`,
		`Give 1 to ${MAX_CARDS} of them: Diyalog takes no more.`,
		...path,
	);
}

/** What the editor's field for cards holds. */
export const cardsSchema = z
	.object({ card: z.array(cardSchema).default([]) })
	.prefault({})
	.transform(({ card }) => card);

/** Cards that data gives: objects, their buttons as data too. */
export const cardsFromData = listFromData(
	documentedObject({
		...cardShape,
		buttons: buttonsFromData.transform((buttons) => buttons ?? []),
	}).transform(requireContent),
);
