/** Names that are the same for all items, and functions of n8n that look at nothing but what they are given. */
const SAME = String.raw`\$(?:secrets|vars|env|workflow|execution|if|ifEmpty|min|max|jmespath)\b`;

/** What is the same in each call of a tool, or is meant to be the model's word. */
const SAME_FOR_TOOLS = String.raw`${SAME}|\$(?:fromAI|fromAi|fromai|tool|now|today)\b|\$\((?:'[^'$\\]*'|"[^"$\\]*")\)\.(?:first|last|all)\(`;

/** The same, the item of the agent itself, and the values of a statement of SQL. */
const OF_AGENT_ITEM = String.raw`${SAME_FOR_TOOLS}|\$(?:json|input)\b|\$\d`;

/** No expression, or one that looks at nothing but these names. A backslash could write any name. */
const lookingAt = (names: string): RegExp =>
	new RegExp(String.raw`^(?!=)|^=[^$\\]*((?:${names})[^$\\]*)*$`);

/** Whether each text within a stored value is such. */
export const everyText =
	(holds: (text: string) => boolean) =>
	(stored: unknown): boolean =>
		typeof stored === 'object' && stored !== null
			? Object.values(stored).every(everyText(holds))
			: holds(String(stored));

const holdsOnly = (pattern: RegExp) => everyText((text) => pattern.test(text));

const AT_AGENT_ITEM = lookingAt(OF_AGENT_ITEM);

/** Whether what is stored in a credential is the same for all items, whatever they hold. */
export const hasOneValue = holdsOnly(lookingAt(SAME));

/** Whether the parameters of a tool are the same for all items of its agent, but for what the model says. */
export const hasOneValueForTools = holdsOnly(lookingAt(SAME_FOR_TOOLS));

/** Whether they look at nothing but these and the item that the agent works on. */
export const hasOneValueForAgentItem = holdsOnly(AT_AGENT_ITEM);

/** How an expression or code looks at another node: by which name, and at what of it. */
const AT_NODE =
	/(?<![\w$])[$_](?:items)?(?:\(|\s+\((?=\s*['"`]))(?:\s*(?:'((?:[^'\\]|\\['"\\])*)'|"((?:[^"\\]|\\['"\\])*)"|`([^`\\$]*)`)[^)]*\)\s*(?:\??\.\s*(\w+))?)?/g;

/** What n8n pairs with the item of the agent, or is no item. */
const OF_OWN_ITEM: ReadonlyArray<string | undefined> = ['item', 'params', 'isExecuted', 'context'];

/** What may run of a text: of an expression all from its first braces to its last. */
const codeIn = (text: string): string =>
	text.startsWith('=') ? text.slice(text.indexOf('{{'), text.lastIndexOf('}}')) : text;

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

/** How code in Python looks at another node. */
const OF_PYTHON = /(?:^|\W)_(?:\(|node|items)/;

/**
 * The same where any text may be looked at like an expression: code has no equals sign in front, nor has SQL, in which a node
 * itself evaluates what stands in braces.
 */
export const looksOnlyAtAgentItem = everyText(
	(text) => AT_AGENT_ITEM.test(`=${text}`) && !OF_PYTHON.test(text),
);
