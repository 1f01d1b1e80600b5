import { documentedObject, listFromData, listOf } from '../input/json';
import { addProblem } from '../input/problem';
import { messageIdText } from '../input/schemas';
import { lazily, z } from '../lib/zod';
import { buttonsFromData, buttonsSchema, optionalShownText, optionalUrl } from './buttons';
import type { DiyalogButton } from './buttons';

/*
 * A carousel: cards to swipe, each with a picture, texts and buttons.
 * Source: https://diyalog-im.github.io/docs/diyalog-messaging-api-generictemplate
 */

export const MAX_CARDS = 10;

export const cardShape = lazily(() => ({
	title: optionalShownText(),
	imageUrl: optionalUrl(),
	subtitle: optionalShownText(),
	/** in place of the message's id, where a button of the card is pressed */
	messageId: messageIdText(),
}));

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

const cardSchema = lazily(() =>
	z.object({ ...cardShape(), buttons: buttonsSchema() }).transform(requireContent),
);

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

/**
 * Refuses buttons of two cards that would send back the same: nobody could tell on which card one was pressed.
 *
 * @param messageId stands in for the id of a card that has none
 * @param path of the field within what is checked
 */
export function requireDistinctCards(
	cards: readonly Card[],
	messageId: string | undefined,
	context: z.RefinementCtx,
	...path: string[]
): readonly Card[] {
	const presses = cards.flatMap(({ messageId: id = messageId, buttons }) =>
		buttons.flatMap(({ type, payload }) =>
			type === 'postback' ? JSON.stringify([id, payload]) : [],
		),
	);
	if (new Set(presses).size === presses.length) return cards;
	return addProblem(
		context,
		'has the same payload on two cards that have the same ID',
		'Give each card a Card ID of its own. Otherwise nobody could tell on which card the button was pressed.',
		...path,
	);
}

/** What the editor's field for cards holds. */
export const cardsSchema = lazily(() =>
	z
		.object({ card: listOf(cardSchema()).default([]) })
		.prefault({})
		.transform(({ card }) => card),
);

/** Cards that data gives: objects, their buttons as data too. */
export const cardsFromData = lazily(() =>
	listFromData(
		documentedObject({
			...cardShape(),
			buttons: buttonsFromData().transform((buttons) => buttons ?? []),
		}).transform(requireContent),
	),
);
