/*
 * What has to come out of a question to three people, told in another way than the code tells it: by counting from the first
 * answer on.
 */

export const SAID = ['approve', 'decline'] as const;
export type Said = (typeof SAID)[number];

export const RULES_OF_THREE = {
	first: { rule: 'first' },
	everyone: { rule: 'everyone' },
	twoOfThree: { rule: 'atLeast', approvalsNeeded: 2 },
} as const;
export type RuleOfThree = keyof typeof RULES_OF_THREE;

const NEEDED: Readonly<Record<RuleOfThree, number>> = { first: 1, everyone: 3, twoOfThree: 2 };

/** How many declines end it. */
const DECLINES: Readonly<Record<RuleOfThree, number>> = { first: 1, everyone: 1, twoOfThree: 2 };

/** Three people in an order, and what each of them says. */
export interface Row {
	rule: RuleOfThree;
	/** the positions of the people in the list, in the order of answering */
	order: readonly number[];
	/** what they say, in that order */
	said: readonly Said[];
}

const ORDERS = [
	[0, 1, 2],
	[0, 2, 1],
	[1, 0, 2],
	[1, 2, 0],
	[2, 0, 1],
	[2, 1, 0],
];

/** Every rule with every order of every answer: 144 rows. */
export const ROWS: readonly Row[] = (Object.keys(RULES_OF_THREE) as RuleOfThree[]).flatMap((rule) =>
	ORDERS.flatMap((order) =>
		SAID.flatMap((first) =>
			SAID.flatMap((second) =>
				SAID.map((third): Row => ({ rule, order, said: [first, second, third] })),
			),
		),
	),
);

/** The decision, and after how many answers it is taken. */
export function expectedOf({ rule, said }: Row): { decision: string; after: number } {
	let approvals = 0;
	let declines = 0;
	for (const [index, each] of said.entries()) {
		if (each === 'approve') approvals++;
		else declines++;
		if (approvals === NEEDED[rule]) return { decision: 'approved', after: index + 1 };
		if (declines === DECLINES[rule]) return { decision: 'declined', after: index + 1 };
	}
	throw new Error('Three people have answered, and nothing is decided');
}
