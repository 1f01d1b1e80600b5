import type { FromAIArgument, IExecuteFunctions, INode } from 'n8n-workflow';
import { isObject } from '../input/json';
import { workflowOf } from '../lib/workflow';
import { asksOf, isNested, isSameJson, saidOf, valueOf } from './agentCall';
import type { CallOfAgent } from './agentCall';
import { looksAtNoItem, looksOnlyAtAgentItem } from './expressions';

/*
 * Human review of what an agent wants to do: a person approves what the message shows, and n8n runs another node. Wherever the two
 * could differ, nobody is asked.
 */

/** n8n takes what `$tool` and `$fromAI` give from here first. A model can write it beside what the tool really runs with. */
const hasQuery = (said: object): boolean =>
	Object.hasOwn(said, 'query') && isObject(Object(said).query);

const TAKEN_FOR_CALL = 'The model has said something that n8n takes for the whole call';

/** LangChain takes what has this type for a call, and its `args` for what the tool runs with. */
const isToolCall = (said: object): boolean => Object(said).type === 'tool_call';

/** What an agent works on. n8n hands a tool with arguments of its own the item of the agent as well. */
const TASK_FIELD = 'chatInput';

/** All arguments, as n8n proposes it for the message, which is an object and no text, and as text. */
export const TOOL_PARAMETERS =
	/\{\{\s*(?:\$tool\.parameters|JSON\.stringify\(\s*\$tool\.parameters\s*\))\s*\}\}/g;

const TOOL_NAME = /\$tool\.name\b/;

/** Whether the message of a review holds this, as an expression. */
const shows = ({ parameters: { message } }: INode, shown: RegExp): boolean =>
	String(message).startsWith('=') && String(message).search(shown) >= 0;

const lettersOf = (name: string): string => name.replace(/[^a-zA-Z0-9]+/g, '');

/** Whether the model chooses among several: tools behind the review, or those that one node offers under other names than its own. */
function isOneOfSeveral(context: IExecuteFunctions, gated: INode, toolName: string): boolean {
	const { name } = context.getNode();
	const workflow = workflowOf(context);
	const tools = workflow?.connectionsByDestinationNode[name]?.ai_tool?.flat() ?? [];
	const enabled = tools.filter((tool) => tool && !workflow?.getNode(tool.node)?.disabled);
	return enabled.length !== 1 || !lettersOf(gated.name).startsWith(lettersOf(toolName));
}

/** Whether n8n makes a tool of a plain node. Then the model may say what the node asks for with $fromAI, and nothing else. */
function isPlainNode(context: IExecuteFunctions, { type, typeVersion }: INode): boolean {
	const nodeType = workflowOf(context)?.nodeTypes.getByNameAndVersion(type, typeVersion);
	return nodeType !== undefined && !nodeType.supplyData;
}

const textsOf = (value: unknown): string[] =>
	typeof value === 'object' && value !== null
		? Object.entries(value).flatMap(([name, each]) => [name, ...textsOf(each)])
		: [String(value)];

/** Whether what was said holds the beginning of an expression, or two texts do that a tool may write side by side. */
function couldBeExpression(said: object): boolean {
	const texts = textsOf(said);
	const isSplit =
		texts.some((text) => text.endsWith('{')) && texts.some((text) => text.startsWith('{'));
	return isSplit || texts.some((text) => text.includes('{{'));
}

/** Why a tool with arguments of its own, of which n8n does not tell the names, could run with others than a person reads. */
function ofOwnArguments(review: INode, own: object, said: object): string | undefined {
	if (Object.hasOwn(said, 'tool')) return 'The model has said another name of the tool';
	if (!shows(review, TOOL_PARAMETERS))
		return 'The tool has arguments of its own, which the message has to show as {{ $tool.parameters }}';
	if (Object.keys(own).every((name) => name === TASK_FIELD || Object.hasOwn(said, name)))
		return undefined;
	return "n8n gives such a tool the fields of the agent's item as well. Leave only chatInput in it, without sessionId and action, with an Edit Fields node in front of the agent";
}

/** Why a tool that asks the model for some values could run with others than a person reads. */
function ofValuesAskedFor(asked: readonly FromAIArgument[], said: object): string | undefined {
	const names = asked.map(({ key }) => key);
	if (Object.keys(said).some((name) => !names.includes(name)))
		return 'The model has said more than the tool asks for';
	// n8n takes the default of $fromAI for it then.
	if (names.some((name) => saidOf(said, name) === undefined))
		return 'The model has left out a value that the tool asks for, so that nobody could read it';
	// A message shows a list like the text that it holds.
	if (asked.some(({ key, type }) => type !== 'json' && typeof saidOf(said, key) === 'object'))
		return 'The model has said a list or an object in the place of a text';
	return hasQuery(said) ? TAKEN_FOR_CALL : undefined;
}

/** n8n lays what the model says over the item of the tool, and the review shows the item as it was. */
function ofSameName(review: INode, gated: INode, own: object, said: object): string | undefined {
	const laidOver = Object.keys(said).filter((name) => Object.hasOwn(own, name));
	const isShown = (name: string): boolean =>
		shows(review, TOOL_PARAMETERS) ||
		shows(review, new RegExp(`\\$tool\\.parameters\\.${name}\\b`));
	if (laidOver.length === 0 || (looksAtNoItem(gated.parameters) && laidOver.every(isShown)))
		return undefined;
	return 'The tool asks for a value under the name of a field of the item. Give the value another name in $fromAI';
}

/**
 * Whether a person could read another thing than what runs after the approval.
 *
 * @returns why; undefined when it is the same
 */
export function showsAnother(
	context: IExecuteFunctions,
	{ agent, call, own, run }: CallOfAgent,
	isPairedByChance: boolean,
): string | undefined {
	const { hitl } = call.action.metadata ?? {};
	const gated = hitl && workflowOf(context)?.getNode(hitl.gatedToolNodeName);
	if (!hitl || !gated) return 'n8n does not tell which tool is to run';
	if (isNested(own))
		return 'The agent is a tool of another agent, whose model can replace what the tool takes from the item';
	if (workflowOf(context)?.getNode(agent.name)?.retryOnFail)
		return 'n8n could run the tool once for each try of the agent. Turn Retry On Fail off in the settings of the agent';
	const { toolName: name, originalInput: parameters } = hitl;
	const said = isObject(parameters) ? parameters : {};
	const isText = !isObject(parameters ?? {});
	if (isToolCall(said) || isToolCall(own)) return TAKEN_FOR_CALL;
	if (!isSameJson(valueOf(context, '$tool'), { name, parameters }))
		return 'n8n does not show the call that it would run';
	if (isOneOfSeveral(context, gated, name) && !shows(context.getNode(), TOOL_NAME))
		return 'The model chooses among several tools, so the message has to show {{ $tool.name }}';
	if (couldBeExpression(said))
		return 'The model has written {{, which some tools take for an expression of n8n';
	const asked = asksOf(gated);
	const asksForValues = asked.length > 0 || isPlainNode(context, gated);
	// n8n runs the tool with a text, or with nothing, as its `input`.
	const isInput = isText || (parameters === undefined && Object.hasOwn(own, 'input'));
	if (asksForValues && isInput) return TAKEN_FOR_CALL;
	const another = asksForValues
		? (ofValuesAskedFor(asked, said) ?? ofSameName(context.getNode(), gated, own, said))
		: ofOwnArguments(context.getNode(), own, said);
	if (another !== undefined) return another;
	const isPaired = isPairedByChance || run > 0 || agent.calls.length > 1;
	if (isPaired && !looksOnlyAtAgentItem(gated.parameters))
		return 'The tool looks at another node, or has a dollar sign or a backslash in a text, and n8n could give it the value of another item';
	return undefined;
}
