import { shownText } from '../codes/placeholders';
import { isObject, knownNames, listFromData, listOf, pressableFromData } from '../input/json';
import { addProblem, decided } from '../input/problem';
import { httpUrlText, optionalText, requiredText, wholeCharacters } from '../input/schemas';
import { lazily, z } from '../lib/zod';

/*
 * Buttons under a message; the same in every kind of message that Diyalog's bots send.
 * Source: https://diyalog-im.github.io/docs/diyalog-messaging-api-buttontemplate
 */

/** What goes beyond is not drawn by Diyalog's client. */
export const MAX_BUTTONS = 3;

/** Many of them stand in one message: looking through megabytes in each would hold up all of n8n. */
const MAX_WORDS_CHARACTERS = 10_000;

/** Refuses words beside the message's own text that a person would not read as they are meant. */
const shownWords = (words: string, context: z.RefinementCtx): string =>
	words.length <= MAX_WORDS_CHARACTERS
		? shownText(words, context)
		: addProblem(context, `is longer than ${MAX_WORDS_CHARACTERS} characters`, 'Shorten it.');

/** The words on something that can be pressed. */
export const titleText = lazily(() =>
	requiredText('Enter the words that stand on it, e.g. Approve.').transform(shownWords),
);

/** What a press sends back. */
export const payloadText = lazily(() =>
	requiredText('Enter what the press sends back to you, e.g. approve.').transform(
		(payload, context) => wholeCharacters(payload, context),
	),
);

/** A text that people read, or nothing. */
export const optionalShownText = lazily(() =>
	optionalText().transform((text, context) =>
		text === undefined ? undefined : shownWords(text, context),
	),
);

/** An address that a device opens or fetches, or nothing. */
export const optionalUrl = lazily(() =>
	optionalText().transform((url, context) =>
		url === undefined ? undefined : httpUrlText(url, context),
	),
);

/** What can be pressed to send something back. */
const pressShape = lazily(() =>
	z.object({
		title: titleText(),
		payload: payloadText(),
		payloadHidden: z.boolean().optional(),
		payloadSeenByUser: optionalShownText(),
	}),
);

const postbackSchema = lazily(() =>
	z.object({ type: z.literal('postback'), ...pressShape().shape }),
);

const webUrlSchema = lazily(() =>
	z.object({
		type: z.literal('web_url'),
		title: titleText(),
		payload: requiredText(
			'Enter the address that the button opens, e.g. https://www.example.com.',
		).transform(httpUrlText),
	}),
);

/** One button as Diyalog takes it, its fields in the documented order. */
export type DiyalogButton =
	| z.output<ReturnType<typeof postbackSchema>>
	| z.output<ReturnType<typeof webUrlSchema>>;

/** A button. Names that are not for it are left out: the editor keeps what was entered before its type was changed. */
const buttonSchema = lazily(() =>
	decided('payloadHidden').pipe(z.discriminatedUnion('type', [postbackSchema(), webUrlSchema()])),
);

/** Of a button that opens a web page nothing comes back. */
const FOR_POSTBACK =
	'Leave it out: only a press of a button of the type postback sends something back.';
const ELSEWHERE = { payloadHidden: FOR_POSTBACK, payloadSeenByUser: FOR_POSTBACK };

/** A button under the documented names, and no others: a misspelled payloadHidden would send an unsigned button. */
const documentedButton = lazily(() =>
	z
		.unknown()
		.transform((entered, context): unknown => {
			const type = isObject(entered) ? entered.type : 'postback';
			if (type !== 'postback' && type !== 'web_url')
				return addProblem(
					context,
					'is not the type of a button',
					'Use postback or web_url.',
					'type',
				);
			const isWebUrl = type === 'web_url';
			const { shape } = isWebUrl ? webUrlSchema() : postbackSchema();
			return knownNames(entered, context, Object.keys(shape), isWebUrl ? ELSEWHERE : {});
		})
		.pipe(buttonSchema()),
);

/**
 * What people entered for something that can be pressed. A switch that is off says nothing. The chat shows the words that
 * were pressed: without any, Diyalog would show the payload, which is for machines.
 */
export const asEntered = <T extends z.output<ReturnType<typeof pressShape>>>(entered: T): T => ({
	...entered,
	payloadHidden: entered.payloadHidden || undefined,
	payloadSeenByUser: entered.payloadSeenByUser ?? entered.title,
});

/** What the editor's field for buttons holds. */
const enteredButtons = lazily(() =>
	z
		.object({ button: listOf(buttonSchema()).default([]) })
		.prefault({})
		.transform(({ button }) =>
			button.map((each): DiyalogButton => (each.type === 'postback' ? asEntered(each) : each)),
		),
);

/** Refuses buttons that nobody could see. */
function requireVisible<T>(
	buttons: readonly T[],
	context: z.RefinementCtx,
	advice: string,
): readonly T[] {
	if (buttons.length <= MAX_BUTTONS) return buttons;
	const problem = `has ${buttons.length} buttons, and a phone shows ${MAX_BUTTONS}`;
	return addProblem(context, problem, advice);
}

/** Refuses a message that was to have buttons and has none: an expression may have given nothing. */
export function requireButtons(
	buttons: readonly DiyalogButton[],
	context: z.RefinementCtx,
): readonly DiyalogButton[] {
	if (buttons.length > 0) return buttons;
	const advice = `Add 1 to ${MAX_BUTTONS} of them, or choose Nothing under Below the Text.`;
	return addProblem(context, 'has no buttons', advice, 'buttons');
}

/**
 * Refuses two that send back the same: nobody could tell which of them was pressed.
 *
 * @param path of the field within what is checked
 */
export function requireDistinct<T extends { payload: string }>(
	pressable: readonly T[],
	context: z.RefinementCtx,
	...path: string[]
): readonly T[] {
	const answers = pressable.filter((each) => !('type' in each && each.type === 'web_url'));
	if (new Set(answers.map(({ payload }) => payload)).size === answers.length) return pressable;
	return addProblem(
		context,
		'has the same payload twice',
		'Give each a payload of its own. Otherwise nobody could tell which one was pressed.',
		...path,
	);
}

/** What to do where more were entered than anybody could see. */
const TOO_MANY_BUTTONS = `Keep ${MAX_BUTTONS} buttons. For more choices use quick replies of the resource Message, up to 11.`;

/** What the editor's field for buttons holds. */
export const buttonsSchema = lazily(() =>
	enteredButtons()
		.transform((buttons, context) => requireVisible(buttons, context, TOO_MANY_BUTTONS))
		.transform((buttons, context) => requireDistinct(buttons, context)),
);

/** Buttons of a message as JSON. */
export const buttonsV2Schema = lazily(() =>
	listOf(documentedButton()).transform((buttons, context) =>
		requireVisible(buttons, context, TOO_MANY_BUTTONS),
	),
);

/** The buttons of a question, which become quick replies where they are more. */
export const questionButtonsSchema = lazily(() => enteredButtons());

/** What else data may say of a button. */
const BUTTON_NAMES = ['type', 'payloadHidden', 'payloadSeenByUser'];

/** Buttons that data gives: texts, or objects. */
export const buttonsFromData = lazily(() =>
	listFromData(
		z
			.unknown()
			.transform((entry, context): unknown => pressableFromData(entry, context, BUTTON_NAMES))
			.pipe(documentedButton()),
	)
		.transform((buttons, context) => buttons && requireVisible(buttons, context, TOO_MANY_BUTTONS))
		.transform((buttons, context) => buttons && requireDistinct(buttons, context)),
);
