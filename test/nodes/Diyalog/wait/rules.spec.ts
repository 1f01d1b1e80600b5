import fc from 'fast-check';
import { decideByRule, neededFor } from '../../../../nodes/Diyalog/wait/rules';
import type { Rule, Vote } from '../../../../nodes/Diyalog/wait/rules';

/* The rules by which several people decide: every order of answers of three people, and properties for up to fifty. */

const VOTES = {
	yes: { decision: 'approved', value: 'approve' },
	no: { decision: 'declined', value: 'decline' },
	notMe: { decision: 'reported', value: 'report' },
} satisfies Record<string, Vote>;

type Said = keyof typeof VOTES;

const SAID = ['yes', 'no', 'notMe'] as const;

/** All rows of three answers. */
const ROWS = SAID.flatMap((first) =>
	SAID.flatMap((second) => SAID.map((third): Said[] => [first, second, third])),
);

/** What a question says after each answer, up to the one that decides. */
function play(rule: Rule, row: readonly Said[], people = row.length): Array<string | undefined> {
	const votes = row.map((said) => VOTES[said]);
	const found: Array<string | undefined> = [];
	for (const [index] of votes.entries()) {
		const decision = decideByRule(rule, people, people, votes.slice(0, index + 1))?.decision;
		found.push(decision);
		if (decision) break;
	}
	return found;
}

/** What has to come out, told in another way than the code tells it: by counting from the first answer on. */
function expected(rule: Rule, row: readonly Said[]): Array<string | undefined> {
	const needed = { first: 1, everyone: 3, atLeast: 2, majority: 2 }[rule.kind];
	let yes = 0;
	let no = 0;
	const found: Array<string | undefined> = [];
	for (const said of row) {
		if (said === 'notMe') return [...found, 'reported'];
		if (said === 'yes') yes++;
		else no++;
		if (yes === needed) return [...found, 'approved'];
		if (no > (rule.kind === 'first' ? 0 : 3 - needed)) return [...found, 'declined'];
		found.push(undefined);
	}
	return found;
}

const RULES: Rule[] = [{ kind: 'first' }, { kind: 'everyone' }, { kind: 'atLeast', count: 2 }];

describe.each(RULES)('three people, $kind', (rule) => {
	it.each(ROWS.map((row) => [row.join(', '), row] as const))('%s', (_words, row) => {
		expect(play(rule, row)).toEqual(expected(rule, row));
	});
});

const anyRule: fc.Arbitrary<Rule> = fc.oneof(
	fc.constant<Rule>({ kind: 'first' }),
	fc.constant<Rule>({ kind: 'everyone' }),
	fc.constant<Rule>({ kind: 'majority' }),
	fc.integer({ min: 1, max: 60 }).map((count): Rule => ({ kind: 'atLeast', count })),
);

const anyQuestion = fc.record({
	rule: anyRule,
	people: fc.integer({ min: 2, max: 50 }),
	said: fc.array(fc.constantFrom(...SAID), { maxLength: 50 }),
	unreached: fc.integer({ min: 0, max: 50 }),
});

it('never approved with fewer approvals than the rule needs, whatever was answered and whoever was not reached', () => {
	fc.assert(
		fc.property(anyQuestion, ({ rule, people, said, unreached }) => {
			const mayAnswer = Math.max(0, people - unreached);
			const votes = said.slice(0, mayAnswer).map((each) => VOTES[each]);
			const approvals = votes.filter(({ decision }) => decision === 'approved').length;
			const found = decideByRule(rule, people, mayAnswer, votes);
			if (found?.decision === 'approved')
				expect(approvals).toBeGreaterThanOrEqual(neededFor(rule, people));
			if (votes.some(({ decision }) => decision === 'reported') && rule.kind !== 'first')
				expect(found?.decision).toBe('reported');
			if (rule.kind === 'everyone' && found?.decision === 'approved')
				expect(approvals).toBe(people);
		}),
		{ numRuns: 20_000 },
	);
});

it('an answer more never turns a decision into another one', () => {
	fc.assert(
		fc.property(anyQuestion, ({ rule, people, said }) => {
			const votes = said.slice(0, people).map((each) => VOTES[each]);
			const all = votes.map(
				(_, index) => decideByRule(rule, people, people, votes.slice(0, index + 1))?.decision,
			);
			const first = all.findIndex((decision) => decision !== undefined);
			if (first < 0 || votes.some(({ decision }) => decision === 'reported')) return;
			expect(new Set(all.slice(first))).toEqual(new Set([all[first]]));
		}),
		{ numRuns: 5_000 },
	);
});

it('everybody answers in the end: the question ends for certain', () => {
	fc.assert(
		fc.property(anyQuestion, ({ rule, people, said }) => {
			fc.pre(said.length >= people && neededFor(rule, people) <= people);
			const votes = said.slice(0, people).map((each) => VOTES[each]);
			expect(decideByRule(rule, people, people, votes)).toBeDefined();
		}),
		{ numRuns: 5_000 },
	);
});

describe('choices and texts', () => {
	const choose = (...values: string[]): Vote[] =>
		values.map((value) => ({ decision: 'chosen', value }));
	const write = (...values: string[]): Vote[] =>
		values.map((value) => ({ decision: 'answered', value }));

	it.each<[string, Rule, Vote[], unknown]>([
		['first', { kind: 'first' }, choose('a'), { decision: 'chosen', value: 'a' }],
		['everyone, one is missing', { kind: 'everyone' }, choose('a', 'a'), undefined],
		[
			'everyone, the same',
			{ kind: 'everyone' },
			choose('a', 'a', 'a'),
			{ decision: 'chosen', value: 'a' },
		],
		[
			'everyone, not the same',
			{ kind: 'everyone' },
			choose('a', 'b', 'a'),
			{ decision: 'chosen', value: null },
		],
		['majority, one of three', { kind: 'majority' }, choose('a'), undefined],
		[
			'majority, two of three',
			{ kind: 'majority' },
			choose('a', 'a'),
			{ decision: 'chosen', value: 'a' },
		],
		['majority, two differ', { kind: 'majority' }, choose('a', 'b'), undefined],
		[
			'majority, three differ',
			{ kind: 'majority' },
			choose('a', 'b', 'c'),
			{ decision: 'noMajority', value: null },
		],
		['texts, one is missing', { kind: 'everyone' }, write('a', 'b'), undefined],
		[
			'texts, all',
			{ kind: 'everyone' },
			write('a', 'b', 'c'),
			{ decision: 'answered', value: null },
		],
		['the first text', { kind: 'first' }, write('a'), { decision: 'answered', value: 'a' }],
	])('%s', (_what, rule, votes, found) => {
		expect(decideByRule(rule, 3, 3, votes)).toEqual(found);
	});

	it('half of all is no majority, and it ends when none can come about any more', () => {
		expect(decideByRule({ kind: 'majority' }, 4, 4, choose('a', 'a'))).toBeUndefined();
		expect(decideByRule({ kind: 'majority' }, 4, 4, choose('a', 'a', 'b', 'b'))).toEqual({
			decision: 'noMajority',
			value: null,
		});
		expect(decideByRule({ kind: 'majority' }, 4, 3, choose('a', 'b'))).toEqual({
			decision: 'noMajority',
			value: null,
		});
	});
});
