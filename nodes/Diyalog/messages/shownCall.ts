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

/** So many blanks or lines with nothing but blanks push what stands before them off a phone. */
const GAP = /\s{20,}|(?:[^\S\n]*\n){4,}/gu;

/** A message and its call that are longer together are not sent, and would take seconds here. */
export const MAX_READ_CHARACTERS = 1_000_000;

/** So many marks above and below a letter cover what stands around it. */
const PILE = /\p{M}{4,}/gu;

/**
 * What looks like the quotation mark of JSON, two signs side by side too: a model could write words that read like a call of their own,
 * which stand closer to the buttons than the call that runs.
 */
const LIKE_QUOTES =
	/[\u02ba\u02dd\u02ee\u02f6\u05f2\u05f4\u1cd3\u201c-\u201f\u2033\u2034\u2036\u2037\u2057\u275d\u275e\u2760\u3003\u301d-\u301f\uff02\u{1f676}-\u{1f678}]+|['`\u00b4\u02b9\u02bb-\u02bf\u02ca\u02cb\u05f3\u2018-\u201b\u2032\u2035\u275b\u275c\u275f\uff07\uff40]{2,}/gu;

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
 * A message with the call below it, unless it ends with the call already and all of that is read from left to right, without what only
 * looks like quotation marks of JSON. Characters that an author has written stay as they are in the message where no more of the kind have
 * come from elsewhere.
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
	const ordered = inOrder(below.replace(LIKE_QUOTES, escaped));
	const isShown = call === '' || (endsWithCall && ordered === below);
	const whole = isShown ? message : `${message}\n\n${call}`;
	const unseen = new Set(whole.match(UNSEEN) ?? []);
	const isMore = (character: string): boolean =>
		whole.split(character).length > entered.split(character).length;
	const shown = withoutGaps(isShown ? message : `${message}\n\n`);
	const readable = [...unseen].some(isMore) ? shown.replace(UNSEEN, escaped) : shown;
	return isShown ? readable : readable + ordered;
}
