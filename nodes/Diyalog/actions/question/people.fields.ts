import type { INodeProperties } from 'n8n-workflow';
import { MAX_PEOPLE } from '../../wait/people';
import { MIN_PEOPLE } from '../../wait/peopleInput';
import { DEFAULT_APPROVALS_NEEDED, RULES } from '../../wait/waitInput';
import { fieldsOrJson, shownAlso } from '../fields';

/* Who is asked: one person, or several with a rule by which they decide. */

const askField: INodeProperties = {
	displayName: 'Ask',
	name: 'ask',
	type: 'options',
	noDataExpression: true,
	options: [
		{ name: 'One Person', value: 'one' },
		{
			name: 'Several People',
			value: 'several',
			description: `${MIN_PEOPLE} to ${MAX_PEOPLE} people get the question, and a rule says when their answers decide`,
		},
	],
	default: 'one',
	description: 'The people who get the question',
};

const SEVERAL = { show: { ask: ['several'] } };

type RuleName = (typeof RULES)[keyof typeof RULES][number];

/** The names of the rules; what each means depends on what is asked. */
const RULE_OPTIONS: Readonly<Record<RuleName, { name: string; description: string }>> = {
	first: { name: 'First Answer Counts', description: 'The first answer decides for all' },
	everyone: { name: 'Everyone', description: 'All have to answer' },
	atLeast: {
		name: 'At Least',
		description:
			'The question is approved when this many people approve. It is declined when that is no longer possible.',
	},
	majority: {
		name: 'Majority',
		description: 'More than half of all people have to choose the same',
	},
};

const EVERYONE_APPROVES = {
	name: 'Everyone Has to Approve',
	description: 'The first person who declines ends the question',
};

const ruleField = (responseType: keyof typeof RULES): INodeProperties => ({
	displayName: 'Rule',
	name: 'rule',
	type: 'options',
	noDataExpression: true,
	displayOptions: { show: { ask: ['several'], responseType: [responseType] } },
	options: RULES[responseType].map((value) => ({
		value,
		...(value === 'everyone' && responseType === 'approval'
			? EVERYONE_APPROVES
			: RULE_OPTIONS[value]),
	})),
	default: 'first',
	description: 'When the answers decide',
});

/** When the answers of several people decide; behind the response type, on which the rules depend. */
export const ruleFields: INodeProperties[] = [
	ruleField('approval'),
	ruleField('choice'),
	ruleField('freeText'),
	{
		displayName: 'Approvals Needed',
		name: 'approvalsNeeded',
		type: 'number',
		typeOptions: { minValue: 1, maxValue: MAX_PEOPLE },
		displayOptions: { show: { ask: ['several'], responseType: ['approval'], rule: ['atLeast'] } },
		default: DEFAULT_APPROVALS_NEEDED,
		description: 'How many of the people have to approve',
	},
];

/** With what a person's answer has to be signed. */
export const personKeysField: INodeProperties = {
	displayName: "Person's Keys",
	name: 'personKeys',
	type: 'string',
	default: '',
	placeholder: 'e.g. {{ $json.publicKeys }}',
	description:
		"The public keys of this person's devices, for example from your database. They replace the key of the credential. One of them must have signed the answer. PEM, Base64, JWK, a JWK set, or a list of these.",
};

/**
 * Who is asked.
 *
 * @param recipient the fields about one person
 * @param entry what an entry of several as JSON can be
 * @param example of them
 */
export const peopleFields = (
	recipient: readonly INodeProperties[],
	entry: 'texts, or of objects' | 'objects',
	example: string,
): INodeProperties[] => [
	askField,
	...recipient.map((field) => shownAlso(field, { show: { ask: ['one'] } })),
	...fieldsOrJson(
		{
			displayName: 'People',
			name: 'people',
			type: 'fixedCollection',
			typeOptions: { multipleValues: true, sortable: true },
			placeholder: 'Add Person',
			default: {},
			description: `The ${MIN_PEOPLE} to ${MAX_PEOPLE} people who get the question. Nobody can be entered twice.`,
			options: [{ displayName: 'Person', name: 'person', values: [...recipient, personKeysField] }],
		},
		'specifyPeople',
		entry,
		example,
		SEVERAL,
	),
];
