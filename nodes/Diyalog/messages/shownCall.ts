import { BLANK_SIGNS } from '../codes/placeholders';
import { escaped } from '../lib/escaped';
import { lazily } from '../lib/zod';

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

/** Accents that letters of Europe are composed with. */
const ACCENTS = String.raw`\u0300-\u0304\u0306-\u030c\u030f\u0311\u0323-\u0328\u032d\u032e\u0330\u0331`;

/** With it the letters o and u of Vietnamese are composed. Behind others it looks like an apostrophe. */
const HORN = String.raw`(?<=[OoUu])\u031b`;

const HEBREW_MARKS = String.raw`\u05b0-\u05bc\u05c1\u05c2\u05c7`;

/** Scripts of languages of today, each with the marks that may follow its letters. Of any other script nobody here knows what it looks like. */
const SCRIPTS: ReadonlyArray<readonly [script: string, marks: string]> = [
	['Latin', ACCENTS],
	['Greek', String.raw`\u0301\u0308`],
	['Cyrillic', ACCENTS],
	['Arabic', String.raw`\u064b-\u0655\u0670`],
	['Hebrew', HEBREW_MARKS],
	...['Hiragana', 'Katakana'].map((script): [string, string] => [script, String.raw`\u3099\u309a`]),
	...['Armenian', 'Ethiopic', 'Georgian', 'Han', 'Hangul'].map((script): [string, string] => [
		script,
		'',
	]),
	...[
		'Bengali',
		'Devanagari',
		'Gujarati',
		'Gurmukhi',
		'Kannada',
		'Khmer',
		'Lao',
		'Malayalam',
		'Myanmar',
		'Oriya',
		'Sinhala',
		'Tamil',
		'Telugu',
		'Thai',
	].map((script): [string, string] => [script, String.raw`\p{sc=${script}}`]),
];

/** Letters of these scripts that look like a quotation mark, or stand beside one: of Afrikaans, old Greek, Hebrew, Arabic, China and Egyptology. */
const LIKE_QUOTES = String.raw`\u0149\u0370-\u037d\u03d0-\u03ff\u05f2\ufb1f\u0674\u1e9a\u1f00-\u1fff\ufc5e-\ufc63\ufe70-\ufe7f\u4e36\u4e37\u51ab\ua700-\ua7ff`;

const anyOf = (property: string): string =>
	SCRIPTS.map(([script]) => String.raw`\p{${property}=${script}}`).join('');

const LETTER = String.raw`(?=\p{L})(?!\p{Lm}|[${LIKE_QUOTES}])[${anyOf('sc')}]`;

/** Behind a letter: the marks of its own script. */
const MARKS = SCRIPTS.filter(([, marks]) => marks !== '')
	.map(([script, marks]) => String.raw`(?<=\p{sc=${script}}\u031b?)(?:(?=\p{M})[${marks}])+`)
	.join('|');

const DIGIT = String.raw`(?=\p{Nd})[${anyOf('scx')}\uff10-\uff19]`;

/** What no two of look like a quotation mark, and people write often: of Europe, Arabic, Hebrew and the East. */
const SIGNS = String.raw`\p{Sc}\u2013\u2014\u2026\xb0\xb2\xb3\xb7\xbd\u061b\u061f\u066a\u05be\u3002\u3005\u3007\u30fb\u30fc\uff01\uff08\uff09\uff1a\uff1b\uff1f`;

/** What two of, side by side, look like a quotation mark. One by itself stands in names (Kadıköy’de, Oʻktam) and lists. */
const SINGLE = String.raw`['\x60\u2018\u2019\u02bb\u02bc\u060c\u066b\u066c\u3001\uff0c]`;

/** Letters with an apostrophe of their own behind them (Czech, Slovak, Vietnamese) or before them (Greek): one more there looks like a quotation mark. */
const APOSTROPHE_BEHIND = String.raw`[\u010f\u013d\u013e\u0165\u01a0\u01a1\u01af\u01b0]\p{M}{0,3}|[dlLt]\p{M}{0,2}\u030c\p{M}{0,2}|\u031b\p{M}{0,2}`;
const APOSTROPHE_BEFORE = String.raw`[\u0386\u0388-\u038f]|[\u0391\u0395\u0397\u0399\u039f\u03a5\u03a9]\p{M}{0,2}\u0301`;

const HEBREW = String.raw`(?=\p{L})(?![${LIKE_QUOTES}])\p{sc=Hebrew}`;

/** This letter of Hebrew looks like an apostrophe, unless it stands in a word. */
const yods = lazily(
	() =>
		new RegExp(
			String.raw`(?<!${HEBREW}[${HEBREW_MARKS}]{0,3})(?:[\u05d9\ufb1d\ufb39][${HEBREW_MARKS}]{0,3})+(?![${HEBREW_MARKS}]{0,3}${HEBREW})`,
			'gu',
		),
);

/** A piece of a call that is read as what it is, or else one character. To make it takes longer than to load both nodes. */
const piece = lazily(
	() =>
		new RegExp(
			String.raw`((?:[\x20-&(-_a-~]+|${LETTER})(?:${HORN})?(?:(?=\p{M})(?:${MARKS}))?|${DIGIT}|[${SIGNS}]|(?<!${SINGLE}|${APOSTROPHE_BEHIND})${SINGLE}(?!${SINGLE}|${APOSTROPHE_BEFORE}))|[^]`,
			'gu',
		),
);

/**
 * A call in which every character is read as what it is: a model could write what looks like the quotation marks of JSON, and so a call
 * of its own, which stands closer to the buttons than the call that runs.
 */
const readable = (call: string): string =>
	call
		// Some letters and marks are among them.
		.replace(UNSEEN, escaped)
		.replace(yods(), escaped)
		.replace(piece(), (found, plain: string | undefined) => plain ?? escaped(found));

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
 * A message with the call below it, unless it ends with the call already and nothing in that has to be written otherwise to be read. Of
 * what nobody sees, characters that an author has written stay as they are in the message, where no more of the kind have come from
 * elsewhere and none is in the call.
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
	const ordered = inOrder(readable(withoutGaps(call)));
	const isShown = call === '' || (endsWithCall && ordered === call);
	const isMore = (character: string): boolean =>
		call.includes(character) || message.split(character).length > entered.split(character).length;
	const unseen = new Set(message.match(UNSEEN) ?? []);
	const shown = withoutGaps(isShown ? message : `${message}\n\n`);
	const above = [...unseen].some(isMore) ? shown.replace(UNSEEN, escaped) : shown;
	return isShown ? above : above + ordered;
}
