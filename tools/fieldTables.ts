import type { INodeProperties, INodePropertyCollection, INodePropertyOptions } from 'n8n-workflow';
import { format } from 'prettier/standalone';
import * as markdown from 'prettier/plugins/markdown';

/*
 * Tables of fields for the reference, made of what the editor shows: its labels, and its words for when a field is shown.
 */

type Entry = INodeProperties | INodePropertyCollection | INodePropertyOptions;

/** One line of a table, in the order of its columns. */
type Row = readonly [
	field: string,
	inJson: string,
	shown: string,
	initial: string,
	meaning: string,
];

/** Fields with the headline above their table. */
export interface Section {
	/** empty for none */
	headline: string;
	fields: readonly INodeProperties[];
}

const isField = (entry: Entry): entry is INodeProperties => 'type' in entry;
const isCollection = (entry: Entry): entry is INodePropertyCollection => 'values' in entry;
const isChoice = (entry: Entry): entry is INodePropertyOptions => 'value' in entry;

const entriesOf = ({ options = [] }: INodeProperties): readonly Entry[] => options;

/**
 * The fields inside a field, with what JSON has in front of their names. Those of a fixed collection lie one level deeper there,
 * and the editor shows none of that level.
 */
function groupsInside(field: INodeProperties): Array<[path: string, fields: INodeProperties[]]> {
	const list = field.typeOptions?.multipleValues === true ? '[]' : '';
	return [
		...entriesOf(field)
			.filter(isCollection)
			.map(({ name, values }): [string, INodeProperties[]] => [`${name}${list}.`, values]),
		['', entriesOf(field).filter(isField)],
	];
}

const fieldsInside = (field: INodeProperties): INodeProperties[] =>
	groupsInside(field).flatMap(([, fields]) => fields);

const choicesOf = (field: INodeProperties): INodePropertyOptions[] =>
	entriesOf(field).filter(isChoice);

/** Where the names in a condition are looked up: beside the field, or from the top where they begin with a slash. */
interface Surroundings {
	beside: readonly INodeProperties[];
	top: readonly INodeProperties[];
}

/** Every field of a name: the editor may show another one of it for each choice. */
function fieldsNamed(name: string, { beside, top }: Surroundings): INodeProperties[] {
	const path = name.replace(/^\//, '').split('.');
	let level = name.startsWith('/') ? top : beside;
	let found: INodeProperties[] = [];
	for (const part of path) {
		found = level.filter((field) => field.name === part);
		level = found.flatMap(fieldsInside);
	}
	if (found.length === 0) throw new Error(`A condition names ${name}, and there is no such field`);
	return found;
}

/** A value in the words of the editor. */
function wordFor(value: unknown, fields: readonly INodeProperties[]): string {
	const chosen = fields.flatMap(choicesOf).find((choice) => choice.value === value);
	if (chosen) return chosen.name;
	if (typeof value === 'boolean') return value ? 'on' : 'off';
	if (typeof value === 'string' || typeof value === 'number') return String(value);
	throw new Error(`A condition has a value without words: ${JSON.stringify(value)}`);
}

/** Several words as one phrase. A word that holds a comma stands in quotes, so that it reads as one. */
function phraseOf(words: readonly string[]): string {
	const quoted = words.map((word) => (word.includes(',') ? `"${word}"` : word));
	const last = quoted.at(-1) ?? '';
	return quoted.length > 1 ? `${quoted.slice(0, -1).join(', ')} or ${last}` : last;
}

/** From so many choices on those that are missing are named, where they are fewer. */
const MANY_CHOICES = 3;

type Conditions = Readonly<Record<string, readonly unknown[] | undefined>>;

/** Conditions in the words of the editor; one that every choice meets is none. */
const conditionsIn = (conditions: Conditions, around: Surroundings, not = ''): string[] =>
	Object.entries(conditions).flatMap(([name, values = []]) => {
		const fields = fieldsNamed(name, around);
		const others = fields.flatMap(choicesOf).filter(({ value }) => !values.includes(value));
		const isChoiceOfMost = values.length >= MANY_CHOICES && others.length < values.length && !not;
		if (isChoiceOfMost && others.length === 0) return [];
		const phrase = isChoiceOfMost
			? `not ${phraseOf(others.map((choice) => choice.name))}`
			: `${not}${phraseOf(values.map((value) => wordFor(value, fields)))}`;
		return [`${fields[0]?.displayName}: ${phrase}`];
	});

/** When a field is shown, e.g. `Response Type: Approval`; empty for always. */
const shownWhen = ({ displayOptions = {} }: INodeProperties, around: Surroundings): string =>
	[
		...conditionsIn(displayOptions.show ?? {}, around),
		...conditionsIn(displayOptions.hide ?? {}, around, 'not '),
	].join('; ');

const escaped = (text: string): string => text.replace(/\|/g, '\\|').replace(/\s*\n\s*/g, ' ');

/** What is in a field that nobody has touched. */
function initialValue(field: INodeProperties): string {
	const { default: value, required = false, typeOptions } = field;
	if (Array.isArray(value)) return value.map((each) => wordFor(each, [field])).join(', ') || 'none';
	if (value === '') return required ? 'required' : 'empty';
	if (typeof value === 'object') return 'none';
	return (typeOptions?.rows ?? 1) > 3 ? 'the lines' : escaped(wordFor(value, [field]));
}

const sentence = (text: string): string => (/[.!?]$/.test(text) ? text : `${text}.`);

/** As the editor shows it: descriptions may hold a little HTML. */
const withoutHtml = (text: string): string =>
	text.replace(/<\/?code>/g, '`').replace(/<\/?b>/g, '**');

function boundsOf({ typeOptions: { minValue, maxValue } = {} }: INodeProperties): string[] {
	if (minValue === undefined) return [];
	const thousands = (value: number): string => value.toLocaleString('en');
	return [
		maxValue === undefined
			? `${thousands(minValue)} or more.`
			: `${thousands(minValue)} to ${thousands(maxValue)}.`,
	];
}

function choicesIn(field: INodeProperties): string[] {
	const choices = choicesOf(field);
	if (choices.length === 0) return [];
	if (choices.every(({ description }) => description === undefined))
		return [`${choices.map(({ name }) => `**${name}**`).join(', ')}.`];
	return choices.map(({ name, description }) =>
		description === undefined ? `**${name}**.` : sentence(`**${name}**: ${description}`),
	);
}

const meaningOf = (field: INodeProperties): string =>
	escaped(
		[
			...[field.description ?? '', field.hint ?? ''].filter((text) => text !== '').map(sentence),
			...choicesIn(field),
			...boundsOf(field),
		]
			.map(withoutHtml)
			.join(' '),
	);

/**
 * The lines of fields and of what is inside them, in the order of the editor.
 *
 * @param above the labels of what they are inside
 * @param path what JSON has in front of their names
 */
function rowsOf(
	fields: readonly INodeProperties[],
	top: readonly INodeProperties[],
	above = '',
	path = '',
): Row[] {
	return fields.flatMap((field): Row[] => {
		if (field.type === 'notice' || field.type === 'hidden') return [];
		const label = `${above}${field.displayName}`;
		const name = `${path}${field.name}`;
		const shown = shownWhen(field, { beside: fields, top });
		const inside = groupsInside(field).flatMap(([level, own]) =>
			rowsOf(own, top, `${label} > `, `${name}.${level}`),
		);
		const meaning = meaningOf(field);
		// A list of options says nothing by itself.
		if (field.type === 'collection' && meaning === '' && shown === '') return inside;
		return [[label, `\`${name}\``, shown, initialValue(field), meaning], ...inside];
	});
}

const COLUMNS: Row = ['Field', 'In JSON', 'Shown when', 'Default', 'Meaning'];

const lineOf = (row: readonly string[]): string => `| ${row.join(' | ')} |`;

/** A table without the columns that would be empty. */
function tableOf(rows: readonly Row[]): string {
	const used = COLUMNS.map((_, column) => rows.some((row) => row[column] !== ''));
	const lines: Row[] = [COLUMNS, ['---', '---', '---', '---', '---'], ...rows];
	return lines.map((row) => lineOf(row.filter((_cell, column) => used[column]))).join('\n');
}

/**
 * Markdown tables of fields, one for each section. What all sections have in common stands first, where it has a headline.
 *
 * @param common the headline of what they have in common; undefined for a whole table in each section
 * @returns formatted as prettier formats it
 */
export async function fieldTables(sections: readonly Section[], common?: string): Promise<string> {
	const tables = sections.map(({ headline, fields }) => ({
		headline,
		rows: rowsOf(fields, fields),
	}));
	const [first] = tables;
	const isCommon = (row: Row): boolean =>
		common !== undefined &&
		tables.every(({ rows }) => rows.some((each) => lineOf(each) === lineOf(row)));
	const shared = first && common ? [{ headline: common, rows: first.rows.filter(isCommon) }] : [];
	const own = tables.map(({ headline, rows }) => ({
		headline,
		rows: rows.filter((row) => !isCommon(row)),
	}));
	const text = [...shared, ...own].map(({ headline, rows }) =>
		headline === '' ? tableOf(rows) : `### ${headline}\n\n${tableOf(rows)}`,
	);
	return await format(text.join('\n\n'), { parser: 'markdown', plugins: [markdown] });
}

/** What a generated part of a page stands between. */
const MARKED = /(?<=<!-- fields: begin -->\n)[^]*(?=<!-- fields: end -->)/;

/**
 * A page with its tables as they are now.
 *
 * @throws Error when the page has no place for them
 */
export function withTables(page: string, tables: string): string {
	if (!MARKED.test(page)) throw new Error('The page has no markers for its tables of fields');
	return page.replace(MARKED, () => `\n${tables}\n`);
}
