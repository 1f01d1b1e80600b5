import { z } from 'zod/v4';
import { normaliseCode } from '../codes/code';
import { findUnfilled, shownText } from '../codes/placeholders';
import { addProblem, decided } from '../input/problem';
import type { InputProblem } from '../input/problem';
import { listFromData, pressableFromData } from '../input/json';
import { requiredText } from '../input/schemas';
import { MAX_BUTTONS } from '../messages/buttons';
import type { IssuedButton } from './decide';
import { DEFAULT_DELIVERY_WAIT, DEFAULT_WAIT } from './waitTime';
import type { WaitLimit } from './waitTime';

/* What was entered for "Send and Wait for Response", checked before anything is sent. */

const MIN_CHOICES = 2;
const MAX_ATTEMPTS = 10;

const NO_ANSWER = 'No Answer';

/** What each response type waits for, and the names of its outputs: what was hoped for, nobody in time, the contrary. */
export const RESPONSE_TYPES = {
	approval: {
		waitsFor: 'an approval or a refusal',
		outputs: ['Approved', NO_ANSWER, 'Declined'],
	},
	choice: { waitsFor: 'a choice', outputs: ['Answered', NO_ANSWER] },
	code: {
		waitsFor: 'a code that is typed',
		outputs: ['Right Code', NO_ANSWER, 'Too Many Attempts'],
	},
	delivery: { waitsFor: 'the delivery of the message', outputs: ['Delivered', 'Not Delivered'] },
	freeText: { waitsFor: 'a text', outputs: ['Answered', NO_ANSWER] },
} as const;

/** The response type of a question that says nothing else. */
export const DEFAULT_RESPONSE_TYPE = 'approval';

/** What the fields hold at first, and what counts when they are emptied. */
export const DEFAULT_APPROVE_LABEL = 'Approve';
export const DEFAULT_DECLINE_LABEL = 'Decline';
export const DEFAULT_MAX_ATTEMPTS = 3;
export const DEFAULT_WRONG_CODE_REPLY = 'That code is not right. Please try again.';

/** What is waited for, before it is bound to a message. */
export type PlannedResponse =
	| { kind: 'button' | 'link'; buttons: IssuedButton[]; requireSignedPayload: boolean }
	| { kind: 'freeText' | 'receipt' }
	| { kind: 'code'; expectedCode: string; maxAttempts: number; wrongCodeReply: string };

/** A checked response with how long to wait for it. */
export interface WaitInput {
	response: PlannedResponse;
	limit: WaitLimit;
	/** put in front of the messageId, for people; may be empty */
	messageIdPrefix: string;
}

const label = (fallback: string) =>
	z
		.string()
		.default(fallback)
		.transform((text) => (text.trim() === '' ? fallback : text));

/**
 * What a person sees of a text: without characters that show nothing, in one width, each blank the same. Each character is
 * taken apart by itself: putting many accents into their order takes the square of their number.
 */
const seenOf = (text: string): string =>
	text
		.replace(/\P{ASCII}/gu, (character) => character.normalize('NFKD'))
		.replace(/[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}]/gu, (each) =>
			/\s/.test(each) ? ' ' : '',
		)
		.replace(/\s+/g, ' ')
		.trim();

const approvalOptionsSchema = z
	.object({
		values: z
			.object({
				approvalType: z.enum(['single', 'double']).default('double'),
				approveLabel: label(DEFAULT_APPROVE_LABEL).transform(shownText),
				disapproveLabel: label(DEFAULT_DECLINE_LABEL).transform(shownText),
			})
			.prefault({}),
	})
	.prefault({})
	.transform(({ values }, context) => {
		const { approvalType, approveLabel, disapproveLabel } = values;
		if (approvalType === 'single' || seenOf(approveLabel) !== seenOf(disapproveLabel))
			return values;
		return addProblem(
			context,
			'looks like the other button',
			'Give each button words of its own, or nobody could tell what is approved.',
			'values',
			'disapproveLabel',
		);
	});

const choiceSchema = z
	.object({
		title: requiredText('Enter the words that stand on it.').transform(shownText),
		value: z.union([z.string(), z.number(), z.boolean()]).nullish(),
	})
	.transform(({ title, value }) => ({
		title,
		value: value === undefined || value === null || value === '' ? title : String(value),
	}));

type Choice = z.output<typeof choiceSchema>;

/** Choices that data gives: texts, or objects with a title and a value or payload. */
const choicesFromData = listFromData(
	z
		.unknown()
		.transform((entry, context): unknown => {
			const { type, title, payload } = pressableFromData(entry, context, []);
			if (type !== 'web_url') return { title, value: payload };
			return addProblem(context, 'has an address', 'Give each choice a title and a value.');
		})
		.pipe(choiceSchema),
);

const enteredChoices = z
	.object({ choice: z.array(choiceSchema).default([]) })
	.prefault({})
	.transform(({ choice }) => choice);

/** How many choices a question can have, and what to do where there are more. */
interface ChoiceLimit {
	max: number;
	advice: string;
}

const LINK_LIMIT: ChoiceLimit = {
	max: MAX_BUTTONS,
	advice: `Keep ${MAX_BUTTONS} choices, or choose Tap in the Chat under Answer By.`,
};

const tapLimit = (max: number): ChoiceLimit => ({
	max,
	advice:
		max > MAX_BUTTONS
			? `Keep ${max} choices: Diyalog takes no more.`
			: `Keep ${max} choices, or choose the resource Message, which asks with up to 11 quick replies.`,
});

/** Why a question cannot have these choices. */
function choicesProblem(
	choices: readonly Choice[],
	{ max, advice }: ChoiceLimit,
): Omit<InputProblem, 'field'> | undefined {
	const count = `has ${choices.length} choices`;
	if (choices.length > max)
		return { problem: `${count}, and a phone shows ${max} of them`, advice };
	if (choices.length < MIN_CHOICES)
		return { problem: count, advice: `Add ${MIN_CHOICES} to ${max} choices.` };
	const seen = {
		value: choices.map(({ value }) => value),
		title: choices.map(({ title }) => seenOf(title)),
	};
	const part = (['value', 'title'] as const).find(
		(each) => new Set(seen[each]).size < choices.length,
	);
	return (
		part && {
			problem: `has the same ${part} twice`,
			advice: `Give each choice a ${part} of its own, or nobody could tell what was chosen.`,
		}
	);
}

const expectedCodeSchema = z
	.union([z.string(), z.number().transform((code) => (code >= 0 ? String(code) : ''))])
	.transform((code, context) =>
		/^[\s-]*(\d[\s-]*){2,10}$/.test(code) && normaliseCode(code) !== ''
			? code
			: addProblem(
					context,
					'is not a number of 2 to 10 digits',
					'Enter the digits that are shown to the customer elsewhere, as text if they begin with 0.',
				),
	);

/** What n8n gives for a date: a text, or what an expression made. */
const dateText = z
	.unknown()
	.optional()
	.transform((value) => {
		if (value instanceof Date) return value.toISOString();
		if (typeof value === 'object' && value !== null && 'toISO' in value) return String(value);
		return typeof value === 'string' ? value : '';
	});

const limitSchema = z
	.object({
		values: z
			.discriminatedUnion('limitType', [
				z.object({
					limitType: z.literal('afterTimeInterval'),
					resumeAmount: z.coerce.number(),
					resumeUnit: z.enum(['seconds', 'minutes', 'hours', 'days']),
				}),
				z.object({ limitType: z.literal('atSpecifiedTime'), maxDateAndTime: dateText }),
			])
			.optional(),
	})
	.prefault({})
	.transform(({ values }) => values);

const prefixSchema = z
	.string()
	.default('')
	.transform((text, context) =>
		/^[A-Za-z0-9_-]*$/.test(text.trim())
			? text.trim()
			: addProblem(
					context,
					'holds other characters than letters, digits, _ and -',
					'Use only these, e.g. transfer-17.',
				),
	);

const optionValuesSchema = z.object({
	limitWaitTime: limitSchema,
	messageIdPrefix: prefixSchema,
	maxAttempts: z.coerce.number().int().min(1).max(MAX_ATTEMPTS).default(DEFAULT_MAX_ATTEMPTS),
	requireSignedPayload: z.boolean().default(false),
	wrongCodeReply: label(DEFAULT_WRONG_CODE_REPLY),
});

const optionsSchema = z
	.unknown()
	.prefault({})
	.pipe(decided('requireSignedPayload'))
	.pipe(optionValuesSchema);

/** Fields that do not apply to a response type are not shown, and not looked at either. */
const responseSchema = z.discriminatedUnion('responseType', [
	z.object({
		responseType: z.literal('approval'),
		answerBy: z.enum(['tap', 'link']).default('tap'),
		approvalOptions: approvalOptionsSchema,
	}),
	z.object({
		responseType: z.literal('choice'),
		answerBy: z.enum(['tap', 'link']).default('tap'),
		choices: enteredChoices,
		choicesJson: choicesFromData,
	}),
	z.object({ responseType: z.literal('freeText') }),
	z.object({ responseType: z.literal('delivery') }),
	z.object({ responseType: z.literal('code'), expectedCode: expectedCodeSchema }),
]);

type Response = z.output<typeof responseSchema>;
type Options = z.output<typeof optionsSchema>;

const choicesOf = ({ choicesJson, choices }: Extract<Response, { responseType: 'choice' }>) =>
	choicesJson ?? choices;

function buttonsOf(response: Extract<Response, { answerBy: 'tap' | 'link' }>): IssuedButton[] {
	if (response.responseType === 'choice') {
		return choicesOf(response).map(({ title, value }) => ({
			payload: value,
			title,
			decision: 'chosen',
			value,
		}));
	}
	const { approvalType, approveLabel, disapproveLabel } = response.approvalOptions;
	const approve: IssuedButton = {
		payload: 'approve',
		title: approveLabel,
		decision: 'approved',
		value: 'approve',
	};
	const decline: IssuedButton = {
		payload: 'decline',
		title: disapproveLabel,
		decision: 'declined',
		value: 'decline',
	};
	return approvalType === 'single' ? [approve] : [approve, decline];
}

function planOf(
	response: Response,
	{ maxAttempts, wrongCodeReply, requireSignedPayload }: Options,
): PlannedResponse {
	if (response.responseType === 'freeText') return { kind: 'freeText' };
	if (response.responseType === 'delivery') return { kind: 'receipt' };
	if (response.responseType === 'code') {
		const { expectedCode } = response;
		return { kind: 'code', expectedCode, maxAttempts, wrongCodeReply };
	}
	return {
		kind: response.answerBy === 'link' ? 'link' : 'button',
		buttons: buttonsOf(response),
		requireSignedPayload,
	};
}

/**
 * What was entered about the response: the fields of the response type beside the collection of options.
 *
 * @param maxChoices how many of them the kind of message can show in the chat
 */
export const waitSchema = (maxChoices: number) =>
	responseSchema
		.and(z.object({ options: optionsSchema }))
		.transform((entered, context): WaitInput => {
			if (entered.responseType === 'choice') {
				const limit = entered.answerBy === 'link' ? LINK_LIMIT : tapLimit(maxChoices);
				const found = choicesProblem(choicesOf(entered), limit);
				if (found) return addProblem(context, found.problem, found.advice, 'choices');
			}
			const { limitWaitTime, messageIdPrefix } = entered.options;
			const response = planOf(entered, entered.options);
			const usual = response.kind === 'receipt' ? DEFAULT_DELIVERY_WAIT : DEFAULT_WAIT;
			const limit = limitWaitTime ?? usual;
			// A reply that is never sent is not looked at.
			const unfilled = response.kind === 'code' ? findUnfilled(response.wrongCodeReply) : undefined;
			if (!unfilled) return { response, limit, messageIdPrefix };
			const { problem, advice } = unfilled;
			return addProblem(context, problem, advice, 'options', 'wrongCodeReply');
		});
