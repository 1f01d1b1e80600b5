import type { Decision } from './decisions';

/*
 * The rules by which the answers of several people decide a question. Whatever is not certain decides nothing: a rule that is
 * not met is no approval, and one that cannot be met any more ends the question.
 */

/** When the answers of several people decide. */
export type Rule =
	| { kind: 'first' }
	| { kind: 'everyone' }
	/** of approvals */
	| { kind: 'atLeast'; count: number }
	/** more than half of all who were to be asked choose the same */
	| { kind: 'majority' };

/** What one person has said. */
export interface Vote {
	decision: Decision;
	value: string | null;
}

/** How a question ends. */
export interface RuleDecision {
	decision: Decision;
	/** what everybody, or enough of them, have said; null where they have said different things */
	value: string | null;
}

/**
 * How many people have to answer alike for a rule to be met.
 *
 * @param people how many were to be asked
 */
export function neededFor(rule: Rule, people: number): number {
	switch (rule.kind) {
		case 'first':
			return 1;
		case 'everyone':
			return people;
		case 'atLeast':
			return rule.count;
		case 'majority':
			return Math.floor(people / 2) + 1;
	}
}

/** What all have said, if it is the same. */
function common(votes: readonly Vote[]): string | null {
	const values = new Set(votes.map(({ value }) => value));
	return values.size === 1 ? (votes[0]?.value ?? null) : null;
}

/** The value that most have chosen, and how many have. */
function favourite(votes: readonly Vote[]): { value: string | null; count: number } {
	const counts = new Map<string | null, number>();
	for (const { value } of votes) counts.set(value, (counts.get(value) ?? 0) + 1);
	return [...counts]
		.map(([value, count]) => ({ value, count }))
		.reduce((best, each) => (each.count > best.count ? each : best), { value: null, count: 0 });
}

/** An approval: enough approve, or so many decline that not enough can approve any more. */
function decideApproval(needed: number, mayAnswer: number, votes: readonly Vote[]) {
	const having = (wanted: Decision) => votes.filter(({ decision }) => decision === wanted);
	const [reported] = having('reported');
	if (reported) return reported;
	const approvals = having('approved');
	const declined = having('declined');
	if (mayAnswer - declined.length < needed) return declined[0];
	return approvals.length >= needed ? approvals[0] : undefined;
}

/**
 * How a question to several people ends with what they have said so far.
 *
 * @param people how many were to be asked
 * @param mayAnswer how many of them can answer, those included who have
 * @param votes one for each person who has answered, in the order of answering
 * @returns undefined while it goes on
 */
export function decideByRule(
	rule: Rule,
	people: number,
	mayAnswer: number,
	votes: readonly Vote[],
): RuleDecision | undefined {
	const [first] = votes;
	if (!first) return undefined;
	if (rule.kind === 'first') return first;
	const needed = neededFor(rule, people);
	if (first.decision !== 'chosen' && first.decision !== 'answered')
		return decideApproval(needed, mayAnswer, votes);
	if (rule.kind === 'majority') {
		const { value, count } = favourite(votes);
		if (count >= needed) return { decision: first.decision, value };
		const open = mayAnswer - votes.length;
		return count + open < needed ? { decision: 'noMajority', value: null } : undefined;
	}
	if (votes.length < needed) return undefined;
	return { decision: first.decision, value: common(votes) };
}
