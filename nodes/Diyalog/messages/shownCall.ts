import { BLANK_SIGNS } from '../codes/placeholders';
import { escaped } from '../lib/escaped';

/*
 * The message of a review of a tool of an AI agent, with the call that it is about. A model writes the call, so whatever could hide a part
 * of it, or have it read as another one, is made visible.
 */

/**
 * What shows nothing, or turns the direction of what follows without being a letter: a model could make its parameters look like others.
 * What gives a picture its colour, e.g. that of a warning sign, may stay.
 */
const UNSEEN = new RegExp(
	String.raw`(?!(?<=\p{Extended_Pictographic})\ufe0f|[\t\r\n])[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}${BLANK_SIGNS}\u2028\u2029]`,
	'gu',
);

/** So many blanks or empty lines push what stands before them off a phone. */
const GAP = /\s{20,}|(?:\r?\n){4,}/gu;

/** What is longer is not sent, and would take seconds here. */
export const MAX_READ_CHARACTERS = 1_000_000;

/** So many marks above and below a letter cover what stands around it. */
const PILE = /\p{M}{4,}/gu;

const withoutGaps = (text: string): string =>
	text.replace(GAP, ({ length }) => ` [${length} blanks] `).replace(PILE, escaped);

/** What Unicode writes from right to left, marks and figures included (the blocks of DerivedBidiClass whose default is R or AL). */
const FROM_RIGHT = String.raw`[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]`;

const WORD_FROM_RIGHT = String.raw`(?:(?!\p{N})${FROM_RIGHT})+`;

/** Words of that, as in a name, or figures. */
const PART_FROM_RIGHT = new RegExp(
	String.raw`${WORD_FROM_RIGHT}(?: (?=\p{L})${WORD_FROM_RIGHT})*|(?:(?=\p{N})${FROM_RIGHT})+`,
	'gu',
);

/** Left-to-Right Mark. It shows nothing itself. */
const FROM_LEFT = '\u200e';

/** Keeps such parts from turning what stands beside them, figures too: 9000 - 1 would be read as 1 - 9000. */
const inOrder = (text: string): string =>
	text.replace(PART_FROM_RIGHT, `${FROM_LEFT}$&${FROM_LEFT}`);

/**
 * A message with the call below it, unless it ends with the call already and all of that is read from left to right. Characters that an
 * author has written stay as they are in the message where no more of the kind have come from elsewhere.
 *
 * @param call empty where none is known
 * @param entered the message as its author has written it
 * @param endsWithCall whether that ends with the call
 */
export function withCall(
	message: string,
	call: string,
	entered: string,
	endsWithCall: boolean,
): string {
	const below = withoutGaps(call).replace(UNSEEN, escaped);
	const ordered = inOrder(below);
	const isShown = call === '' || (endsWithCall && ordered === below);
	const whole = isShown ? message : `${message}\n\n${call}`;
	const unseen = new Set(whole.match(UNSEEN) ?? []);
	const isMore = (character: string): boolean =>
		whole.split(character).length > entered.split(character).length;
	const shown = withoutGaps(isShown ? message : `${message}\n\n`);
	const readable = [...unseen].some(isMore) ? shown.replace(UNSEEN, escaped) : shown;
	return isShown ? readable : readable + ordered;
}
