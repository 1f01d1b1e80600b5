/** What n8n evaluates of a text: all that stands in braces, each of which ends at the first closing ones. */
const evaluatedIn = (text: string): string =>
	[...text.matchAll(/\{\{([^]*?)\}\}/g)].map(([, code]) => code).join('\n');

/* Names, behind the dollar sign. */

/** Those that are the same for all items, and functions of n8n that look at nothing but what they are given. */
const SAME = String.raw`(?:secrets|vars|env|workflow|execution|if|ifEmpty|min|max|jmespath)\b`;

/** What is the same in each call of a tool, or is meant to be the model's word. */
const SAME_FOR_TOOLS = String.raw`${SAME}|(?:fromAI|fromAi|fromai|tool|now|today)\b|\((?:'[^'$\\]*'|"[^"$\\]*")\)\.(?:first|last|all)\(`;

/** The same, and the item of the agent itself. */
const OF_AGENT_ITEM = String.raw`${SAME_FOR_TOOLS}|(?:json|input)\b`;

/**
 * Whether code looks at other names than these. A dollar sign begins a name only before a letter, a bracket or another one. An escape
 * could write any name, and `this` holds all of them by name.
 */
const looksBeyond = (names: string): ((code: string) => boolean) => {
	const name = String.raw`[A-Za-z_$(]|\s+\((?=\s*['"])|\s*/[*/]`;
	const beyond = new RegExp(String.raw`\$(?!${names})(?:${name})|\\u|\bthis\s*(?:\?\.\s*)?\[`);
	return (code) => beyond.test(code);
};

/** All texts within a stored value, the names of its fields as well. */
export const textsOf = (stored: unknown): string[] =>
	typeof stored === 'object' && stored !== null
		? Object.entries(stored).flatMap(([name, each]) => [name, ...textsOf(each)])
		: [String(stored)];

/** Whether each text within a stored value is such. */
export const everyText =
	(holds: (text: string) => boolean) =>
	(stored: unknown): boolean =>
		textsOf(stored).every(holds);

/** Whether expressions look at nothing but these names. */
const lookingAt = (names: string) => {
	const isBeyond = looksBeyond(names);
	return everyText((text) => !text.startsWith('=') || !isBeyond(evaluatedIn(text)));
};

/** Whether what is stored in a credential is the same for all items, whatever they hold. */
export const hasOneValue = lookingAt(SAME);

/** Whether the parameters of a tool are the same for all items of its agent, but for what the model says. */
export const hasOneValueForTools = lookingAt(SAME_FOR_TOOLS);

/** Whether they look at nothing but these and the item that the agent works on. */
export const hasOneValueForAgentItem = lookingAt(OF_AGENT_ITEM);

/** How an expression or code looks at another node: by which name, and at what of it. */
const AT_NODE =
	/(?<![\w$])[$_](?:items)?(?:\(|\s+\((?=\s*['"`]))(?:\s*(?:'((?:[^'\\]|\\['"\\])*)'|"((?:[^"\\]|\\['"\\])*)"|`([^`\\$]*)`)[^)]*\)\s*(?:\??\.\s*(\w+))?)?/g;

/** What n8n pairs with the item of the agent, or is no item. */
const OF_OWN_ITEM: ReadonlyArray<string | undefined> = ['item', 'params', 'isExecuted', 'context'];

/** What may run of a text: of code, which has no equals sign in front, all of it. */
const codeIn = (text: string): string => (text.startsWith('=') ? evaluatedIn(text) : text);

/** The names of the nodes at whose other items a text looks; undefined for one that is put together. */
export const nodesLookedAt = (text: string): Array<string | undefined> =>
	[...codeIn(text).matchAll(AT_NODE)]
		.filter((found) => !OF_OWN_ITEM.includes(found[4]))
		.map((found) =>
			found
				.slice(1, 4)
				.find((name) => name !== undefined)
				?.replace(/\\(.)/g, '$1'),
		);

/** How code looks at the item, or at that of another node. */
const AT_ITEM = /[$_](?:json|input|node|items)\b|[$_]\(/;

/** The texts in what asks the model for a value: its name and description. */
const ASKED = /\$from(?:AI|Ai|ai)\((?:\s*(?:,\s*)?(['"`])[^'"`]*\1)+/g;

/**
 * What may look at the item, but for the names for which the model is asked. A node evaluates of SQL what stands in braces; its columns
 * have such names as well.
 */
function codeOf(text: string): string {
	const code = text.includes('{{') ? evaluatedIn(text) : text;
	return AT_ITEM.test(code) ? code.replace(ASKED, '') : '';
}

/** Code that may take an object apart: in an expression, names in quotes before a colon are those of a new one. */
const MAY_TAKE_APART = /=>|\b(?:const|let|var|function|for)\b/;

/** Whether a name stands between these where an object is taken apart, as in `({ name }) => name`. */
const isTakenApart = (before: string, next: string): boolean =>
	'{,'.includes(before || ' ') && ',}='.includes(next || ' ');

/** Whether code takes a field out of something: behind a dot, in quotes, or where it takes an object apart. */
function isFieldIn(code: string, name: string): boolean {
	const parts = code.split(name);
	const mayTakeApart = MAY_TAKE_APART.test(code);
	return parts.slice(1).some((after, index) => {
		const before = parts[index]?.trimEnd().at(-1) ?? '';
		const [next = ''] = after.trimStart();
		if (before === '.') return !/^[\w$]/.test(after);
		if (!`'"\``.includes(before || ' ')) return isTakenApart(before, next);
		return next === before && (mayTakeApart || !/^\s*['"`]\s*:/.test(after));
	});
}

/** Tells of a name whether stored parameters may read the field of an item with it. */
export function fieldsReadIn(stored: unknown): (name: string) => boolean {
	const codes = textsOf(stored).map(codeOf);
	return (name) => codes.some((code) => isFieldIn(code, name));
}

/** How code in Python looks at another node. */
const OF_PYTHON = /(?:^|\W)_(?:\(|node|items)/;

const isBeyondAgentItem = looksBeyond(OF_AGENT_ITEM);

/** Fields with code, which has no equals sign in front: jsCode, pythonCode, functionCode. */
const OF_CODE = /code/i;

/**
 * Whether stored parameters of a node look at nothing but these and the item of the agent. What runs of a text is what stands in braces,
 * also without an equals sign, which nodes for SQL evaluate themselves, and all of it where it is code. Elsewhere a name with a dollar
 * sign is a word, as in GraphQL.
 *
 * @param isCode whether each text may be code
 */
export function looksOnlyAtAgentItem(stored: unknown, isCode: boolean): boolean {
	if (typeof stored === 'object' && stored !== null)
		return Object.entries(stored).every(
			([name, each]) =>
				looksOnlyAtAgentItem(name, isCode) &&
				looksOnlyAtAgentItem(each, isCode || OF_CODE.test(name)),
		);
	const text = String(stored);
	const code = isCode ? codeIn(text) : evaluatedIn(text);
	return !isBeyondAgentItem(code) && !OF_PYTHON.test(code);
}
