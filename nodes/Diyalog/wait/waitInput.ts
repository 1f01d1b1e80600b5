import { normaliseCode } from '../codes/code';
import { BLANK_SIGNS, findUnfilled, shownText } from '../codes/placeholders';
import { addProblem } from '../input/problem';
import type { InputProblem } from '../input/problem';
import { listFromData, listOf, pressableFromData } from '../input/json';
import { optionalText, wholeCharacters, wholeNumber } from '../input/schemas';
import { lazily, z } from '../lib/zod';
import { MAX_BUTTONS, titleText } from '../messages/buttons';
import type { IssuedButton } from './decide';
import { enteredKeys, peopleProblem, peopleSchema, ruleProblem } from './peopleInput';
import type { AskablePeople, EnteredPerson } from './peopleInput';
import { withoutNames } from './replies';
import type { Rule } from './rules';
import { DEFAULT_DELIVERY_WAIT, DEFAULT_WAIT } from './waitTime';
import type { WaitLimit } from './waitTime';

/* What was entered for "Send and Wait for Response", checked before anything is sent. */

const MIN_CHOICES = 2;
const MAX_ATTEMPTS = 10;

const NO_ANSWER = 'No Answer';

/** What each response type waits for, and the names of its outputs: what was hoped for, nobody in time, the contrary. */
export const RESPONSE_TYPES = {
	approval: {
		waitsFor: 'a decision',
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
export const DEFAULT_REPORT_LABEL = "It Wasn't Me";
export const DEFAULT_MAX_ATTEMPTS = 3;
export const DEFAULT_MAX_QUESTIONS = 5;
export const DEFAULT_QUESTION_WINDOW_MINUTES = 60;
export const DEFAULT_WRONG_CODE_REPLY = 'That code is not right. Please try again.';

/** What is waited for, before it is bound to a message. */
export type PlannedResponse =
	| { kind: 'link'; buttons: IssuedButton[]; requireSignedPayload: boolean }
	| {
			kind: 'button';
			buttons: IssuedButton[];
			requireSignedPayload: boolean;
			/** of the one person who is asked; undefined for the credential's */
			personKeys?: unknown;
			/** whether the text that is asked with is left out of what proves the answer */
			leavesTextOut: boolean;
	  }
	| { kind: 'freeText' | 'receipt' }
	| { kind: 'code'; expectedCode: string; maxAttempts: number; wrongCodeReply: string };

/** Several people who are asked, and the rule by which they decide. */
export interface PlannedGroup {
	people: EnteredPerson[];
	rule: Rule;
}

/** The bounds of what the fields of Question Limits hold. */
export const MAX_QUESTIONS = 100;
export const MAX_QUESTION_WINDOW_MINUTES = 1_440;
export const MAX_QUESTION_GAP_S = 600;

const questionLimitsSchema = lazily(() =>
	z
		.object({
			values: z
				.object({
					maxQuestions: wholeNumber(1, MAX_QUESTIONS, DEFAULT_MAX_QUESTIONS),
					windowMinutes: wholeNumber(
						1,
						MAX_QUESTION_WINDOW_MINUTES,
						DEFAULT_QUESTION_WINDOW_MINUTES,
					),
					/** how long after the first question the next may follow; it doubles with each; 0 for no gap */
					firstGapSeconds: wholeNumber(0, MAX_QUESTION_GAP_S, 0),
				})
				.prefault({}),
		})
		.transform(({ values }) => values),
);

/** How often one person may be asked. */
export type QuestionLimits = z.output<ReturnType<typeof questionLimitsSchema>>;

/** A checked response with how long to wait for it. */
export interface WaitInput {
	response: PlannedResponse;
	/** undefined where one person is asked */
	group?: PlannedGroup;
	limit: WaitLimit;
	/** what people are told afterwards; empty for nothing */
	replies: { decidedReply: string; wrongReply: string };
	/** put in front of the messageId, for people; may be empty */
	messageIdPrefix: string;
	/** undefined for none */
	questionLimits: QuestionLimits | undefined;
}

const textOr = (fallback: string) =>
	optionalText().transform((text = '') => (text.trim() === '' ? fallback : text));

/** Empty where nothing was entered. */
const trimmedText = lazily(() => textOr('').transform((text) => text.trim()));

/** Titles that begin with so many characters alike look the same on a phone. */
const MAX_SEEN_CHARACTERS = 1_000;

/** Characters that show nothing, not even a blank. */
const UNSEEN = /(?:(?!\s)[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}])+/gu;

const BLANKS = new RegExp(String.raw`[\s${BLANK_SIGNS}]+`, 'gu');

/**
 * What a person sees of a text: without characters that show nothing, in one width, each blank the same. Each character is
 * taken apart by itself: putting many accents into their order takes the square of their number.
 */
const seenOf = (text: string): string =>
	text
		.replace(UNSEEN, '')
		.replace(BLANKS, ' ')
		.trim()
		.slice(0, MAX_SEEN_CHARACTERS)
		.replace(/\P{ASCII}/gu, (character) => character.normalize('NFKD'))
		.replace(/\s+/g, ' ')
		.trim();

const approvalValuesSchema = lazily(() =>
	z.object({
		approvalType: z.enum(['single', 'double']).default('double'),
		approveLabel: textOr(DEFAULT_APPROVE_LABEL).transform(shownText),
		disapproveLabel: textOr(DEFAULT_DECLINE_LABEL).transform(shownText),
		offerReport: z.boolean().default(false),
		reportLabel: textOr(DEFAULT_REPORT_LABEL).transform(shownText),
	}),
);

/** What a button of an approval sends back, and what that decides. */
const APPROVAL_BUTTONS = {
	approveLabel: { value: 'approve', decision: 'approved' },
	disapproveLabel: { value: 'decline', decision: 'declined' },
	reportLabel: { value: 'report', decision: 'reported' },
} as const;

type ApprovalLabel = keyof typeof APPROVAL_BUTTONS;

/** The fields of the labels of those buttons that are shown, in their order. */
const labelsOf = ({
	approvalType,
	offerReport,
}: z.output<ReturnType<typeof approvalValuesSchema>>): ApprovalLabel[] => [
	'approveLabel',
	...(approvalType === 'double' ? (['disapproveLabel'] as const) : []),
	...(offerReport ? (['reportLabel'] as const) : []),
];

const approvalOptionsSchema = lazily(() =>
	z
		.object({
			values: approvalValuesSchema().prefault({}),
		})
		.prefault({})
		.transform(({ values }, context): IssuedButton[] => {
			const labels = labelsOf(values);
			const seen = labels.map((field) => seenOf(values[field]));
			const second = labels.find((_, index) => seen.indexOf(seen[index] ?? '') < index);
			if (second === undefined) {
				return labels.map((field) => {
					const { value, decision } = APPROVAL_BUTTONS[field];
					return { payload: value, title: values[field], decision, value };
				});
			}
			return addProblem(
				context,
				'looks like another button',
				'Give each button words of its own. Otherwise nobody could tell what is approved.',
				'values',
				second,
			);
		}),
);

const choiceSchema = lazily(() =>
	z
		.object({
			title: titleText(),
			value: optionalText(),
		})
		.transform(({ title, value = title }, context) => ({
			title,
			value: wholeCharacters(value, context, 'value'),
		})),
);

type Choice = z.output<ReturnType<typeof choiceSchema>>;

/** Choices that data gives: texts, or objects with a title and a value or payload. */
const choicesFromData = lazily(() =>
	listFromData(
		z
			.unknown()
			.transform((entry, context): unknown => {
				const { type, title, payload } = pressableFromData(entry, context, []);
				if (type !== 'web_url') return { title, value: payload };
				return addProblem(context, 'has an address', 'Give each choice a title and a value.');
			})
			.pipe(choiceSchema()),
	),
);

const enteredChoices = lazily(() =>
	z
		.object({ choice: listOf(choiceSchema()).default([]) })
		.prefault({})
		.transform(({ choice }) => choice),
);

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
			advice: `Give each choice a ${part} of its own. Otherwise nobody could tell what was chosen.`,
		}
	);
}

const expectedCodeSchema = lazily(() =>
	z
		.union([z.string(), z.number().transform((code) => (code >= 0 ? String(code) : ''))])
		.transform((code, context) =>
			/^[\s-]*(\d[\s-]*){2,10}$/.test(code) && normaliseCode(code) !== ''
				? code
				: addProblem(
						context,
						'is not a number of 2 to 10 digits',
						'Enter the digits that are shown to the customer elsewhere, as text if they begin with 0.',
					),
		),
);

/** What n8n gives for a date: a text, or what an expression made. */
const dateText = lazily(() =>
	z
		.unknown()
		.optional()
		.transform((value) => {
			if (value instanceof Date) return value.toISOString();
			if (typeof value === 'object' && value !== null && 'toISO' in value) return String(value);
			return typeof value === 'string' ? value : '';
		}),
);

const limitSchema = lazily(() =>
	z
		.object({
			values: z
				.discriminatedUnion('limitType', [
					z.object({
						limitType: z.literal('afterTimeInterval'),
						resumeAmount: z.coerce.number(),
						resumeUnit: z.enum(['seconds', 'minutes', 'hours', 'days']),
					}),
					z.object({ limitType: z.literal('atSpecifiedTime'), maxDateAndTime: dateText() }),
				])
				.optional(),
		})
		.prefault({})
		.transform(({ values }) => values),
);

const prefixSchema = lazily(() =>
	trimmedText().transform((text, context) =>
		/^[A-Za-z0-9_-]*$/.test(text)
			? text
			: addProblem(
					context,
					'holds other characters than letters, digits, _ and -',
					'Use only these, e.g. transfer-17.',
				),
	),
);

/** Where nothing came of an expression, the credential's keys must not take the place of the person's own. */
const NO_KEYS = [
	'is empty',
	"Give the public keys of the person's devices, or remove the option to use the credential's key.",
] as const;

const optionsSchema = lazily(() =>
	z
		.object({
			answerBy: z.enum(['tap', 'link']).default('tap'),
			limitWaitTime: limitSchema(),
			messageIdPrefix: prefixSchema(),
			questionLimits: questionLimitsSchema().optional(),
			maxAttempts: z.coerce.number().int().min(1).max(MAX_ATTEMPTS).default(DEFAULT_MAX_ATTEMPTS),
			requireSignedPayload: z.boolean().default(false),
			personKeys: enteredKeys(NO_KEYS),
			leaveTextOut: z.boolean().default(false),
			wrongCodeReply: textOr(DEFAULT_WRONG_CODE_REPLY),
			decidedReply: trimmedText(),
			wrongReply: trimmedText(),
		})
		.prefault({}),
);

/** Fields that do not apply to a response type are not shown, and not looked at either. */
const responseSchema = lazily(() =>
	z.discriminatedUnion('responseType', [
		z.object({
			responseType: z.literal('approval'),
			approvalOptions: approvalOptionsSchema(),
		}),
		z.object({
			responseType: z.literal('choice'),
			choices: enteredChoices(),
			choicesJson: choicesFromData(),
		}),
		z.object({ responseType: z.literal('freeText') }),
		z.object({ responseType: z.literal('delivery') }),
		z.object({ responseType: z.literal('code'), expectedCode: expectedCodeSchema() }),
	]),
);

type Response = z.output<ReturnType<typeof responseSchema>>;
type Options = z.output<ReturnType<typeof optionsSchema>>;

const choicesOf = ({ choicesJson, choices }: Extract<Response, { responseType: 'choice' }>) =>
	choicesJson ?? choices;

function buttonsOf(
	response: Extract<Response, { responseType: 'approval' | 'choice' }>,
): IssuedButton[] {
	if (response.responseType === 'choice') {
		return choicesOf(response).map(({ title, value }) => ({
			payload: value,
			title,
			decision: 'chosen',
			value,
		}));
	}
	return response.approvalOptions;
}

function planOf(
	response: Response,
	{ answerBy, maxAttempts, wrongCodeReply, ...options }: Options,
): PlannedResponse {
	if (response.responseType === 'freeText') return { kind: 'freeText' };
	if (response.responseType === 'delivery') return { kind: 'receipt' };
	if (response.responseType === 'code') {
		const { expectedCode } = response;
		return { kind: 'code', expectedCode, maxAttempts, wrongCodeReply };
	}
	const { requireSignedPayload, personKeys, leaveTextOut: leavesTextOut } = options;
	const buttons = buttonsOf(response);
	if (answerBy === 'link') return { kind: 'link', buttons, requireSignedPayload };
	return { kind: 'button', buttons, requireSignedPayload, personKeys, leavesTextOut };
}

/** The rules that the editor offers for each response type of a question to several people. */
export const RULES = {
	approval: ['first', 'everyone', 'atLeast'],
	choice: ['first', 'everyone', 'majority'],
	freeText: ['first', 'everyone'],
} as const;

export const DEFAULT_APPROVALS_NEEDED = 2;

/** What an expression gives for a number; a switch or a list is none. */
const enteredCount = lazily(() =>
	z.union([z.number(), z.string().trim().min(1).transform(Number)]).pipe(z.number().int().min(1)),
);

const rulesSchema = lazily(() =>
	z.object({
		ask: z.enum(['one', 'several']).default('one'),
		rule: z.enum(['first', 'everyone', 'atLeast', 'majority']).optional(),
		approvalsNeeded: enteredCount().default(DEFAULT_APPROVALS_NEEDED),
	}),
);

const ruleOf = ({
	rule,
	approvalsNeeded,
}: z.output<ReturnType<typeof rulesSchema>>): Rule | undefined => {
	if (rule === 'atLeast') return { kind: rule, count: approvalsNeeded };
	return rule && { kind: rule };
};

/** The reply in which a name in braces would be left. One that is never sent is not looked at. */
function unfilledReply(
	{ kind }: PlannedResponse,
	{ wrongCodeReply, decidedReply, wrongReply }: Options,
): InputProblem | undefined {
	const replies = {
		...(kind === 'code' ? { wrongCodeReply } : { wrongReply }),
		decidedReply: withoutNames(decidedReply),
	};
	for (const [field, text] of Object.entries(replies)) {
		const unfilled = findUnfilled(text);
		if (unfilled) return { field, ...unfilled };
	}
	return undefined;
}

/** Keys that would not be looked at: who enters them relies on a signature. */
function keysProblem(
	{ requireSignedPayload, personKeys }: Options,
	people: readonly EnteredPerson[],
): InputProblem | undefined {
	const withKeys = people.filter((person) => person.personKeys !== undefined).length;
	if (personKeys === undefined && withKeys === 0) return undefined;
	const field = personKeys === undefined ? 'people' : 'options.personKeys';
	if (!requireSignedPayload) {
		return {
			field,
			problem: 'has keys, but Require Signed Payload is off',
			advice: 'Turn it on, or remove the keys.',
		};
	}
	if (people.length === 0) return undefined;
	if (personKeys !== undefined) {
		return {
			field,
			problem: 'cannot be used for several people',
			advice: 'Give each of the People keys of their own, and remove the option.',
		};
	}
	if (withKeys === people.length) return undefined;
	return {
		field,
		problem: `has keys for ${withKeys} of ${people.length} people`,
		advice: "Give each person keys of their own. Or give none, to use the credential's key.",
	};
}

/** Which field of a question to several people cannot be used as it is (by its path), and why. */
function groupProblem(
	responseType: Response['responseType'],
	{ kind }: PlannedResponse,
	people: EnteredPerson[],
	rule: Rule | undefined,
): InputProblem | undefined {
	if (!Object.hasOwn(RULES, responseType)) {
		return {
			field: 'responseType',
			problem: 'is for one person only',
			advice: 'Choose Approval, Choice or Free Text, or One Person under Ask.',
		};
	}
	if (kind === 'link') {
		return {
			field: 'options.answerBy',
			problem: 'is a link, and a link does not say who answers',
			advice: 'Choose Tap in the Chat, or One Person under Ask.',
		};
	}
	const found = peopleProblem(people);
	if (found) return { field: 'people', ...found };
	const allowed: readonly string[] = RULES[responseType as keyof typeof RULES];
	if (!rule || !allowed.includes(rule.kind)) {
		return {
			field: 'rule',
			problem: 'does not fit the response type',
			advice: 'Choose one of the rules that the field offers.',
		};
	}
	const beyond = ruleProblem(rule, people.length);
	return beyond && { field: 'approvalsNeeded', ...beyond };
}

/**
 * What was entered about the question: who is asked, the fields of the response type, and the collection of options.
 *
 * @param maxChoices how many of them the kind of message can show in the chat
 * @param askable whom this kind of message reaches
 */
export const waitSchema = (maxChoices: number, askable: AskablePeople) =>
	responseSchema()
		.and(z.object({ options: optionsSchema() }))
		.and(rulesSchema())
		.and(peopleSchema(askable))
		.transform((entered, context): WaitInput => {
			if (entered.responseType === 'choice') {
				const limit = entered.options.answerBy === 'link' ? LINK_LIMIT : tapLimit(maxChoices);
				const found = choicesProblem(choicesOf(entered), limit);
				if (found) return addProblem(context, found.problem, found.advice, 'choices');
			}
			const { limitWaitTime, messageIdPrefix, decidedReply, wrongReply, questionLimits } =
				entered.options;
			const response = planOf(entered, entered.options);
			const usual = response.kind === 'receipt' ? DEFAULT_DELIVERY_WAIT : DEFAULT_WAIT;
			const limit = limitWaitTime ?? usual;
			const unfilled = unfilledReply(response, entered.options);
			if (unfilled)
				return addProblem(context, unfilled.problem, unfilled.advice, 'options', unfilled.field);
			// What reached a phone has decided nothing that its owner would have to be told.
			const replies = { decidedReply: response.kind === 'receipt' ? '' : decidedReply, wrongReply };
			const input = { response, replies, limit, messageIdPrefix, questionLimits };
			const isForOne = entered.ask === 'one';
			const people = isForOne ? [] : (entered.peopleJson ?? entered.people);
			const rule = ruleOf(entered);
			const found =
				keysProblem(entered.options, people) ??
				(isForOne ? undefined : groupProblem(entered.responseType, response, people, rule));
			if (found) return addProblem(context, found.problem, found.advice, ...found.field.split('.'));
			if (isForOne) return input;
			return rule ? { ...input, group: { people, rule } } : z.NEVER;
		});
