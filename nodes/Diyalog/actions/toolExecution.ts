import type { IExecuteFunctions, INode, NodeOperationError } from 'n8n-workflow';
import {
	asksOf,
	callOfAgent,
	isCalledByAgent,
	isGivenWhatWasSaid,
	isNested,
	isOfCaller,
	isPairedByChance,
	isReviewTool,
	isToolExecution,
	looksAtOneOfSeveral,
	namesOf,
	namesOfCall,
} from './agentCall';
import type { CallOfAgent } from './agentCall';
import { operationError } from './errors';
import { hasOneValueForAgentItem, hasOneValueForTools, textsOf } from './expressions';
import { showsAnother } from './review';

/* The tool of an agent: which calls are refused, and the item that it gets. */

/**
 * Whether an agent that runs the node as a tool of its own works on several items: n8n evaluates expressions for the first of
 * them then, whichever the call is about.
 */
const isOfSeveralItems = (context: IExecuteFunctions): boolean =>
	(context.getExecuteData().data.main?.[0]?.length ?? 0) > 1;

/**
 * Gives a tool the item of its agent back. n8n lays everything over it that the model has called the tool with, under whatever names:
 * so a model could say who is asked, and whose key counts, where that is taken from the item. Where `$fromAI` looks nowhere else,
 * what the tool asks for stays beside the item's own fields.
 */
function restoreItem(context: IExecuteFunctions, { own, call }: CallOfAgent): void {
	const ofCall = namesOfCall(context.getNode());
	const [item] = context.getInputData();
	// What n8n stores and what expressions see are two where Execute Once is on.
	const [stored] = context.getExecuteData().data.main?.[0] ?? [];
	const called = Object.entries(item?.json ?? {});
	const restore = (stays: (name: string) => boolean): void => {
		const json = { ...own, ...Object.fromEntries(called.filter(([name]) => stays(name))) };
		for (const each of [item, stored]) if (each) each.json = json;
	};
	restore((name) => ofCall.includes(name));
	if (isGivenWhatWasSaid(context, call.action.input ?? {})) return;
	const asked = namesOf(context.getNode());
	restore((name) => ofCall.includes(name) || (asked.includes(name) && !Object.hasOwn(own, name)));
}

/**
 * Whether an expression that looks at an item may be given that of another one, or what a model has said: older agents with
 * several items, agents that are tools themselves, and what n8n pairs for agents of version 3.
 */
export function isItemUncertain(context: IExecuteFunctions): boolean {
	if (isToolExecution(context))
		return (
			isOfSeveralItems(context) ||
			isOfCaller(context) ||
			isNested(context.getExecuteData().data.main?.[0]?.[0]?.json)
		);
	if (!isCalledByAgent(context)) return false;
	const found = callOfAgent(context);
	return !found || isNested(found.own) || isPairedByChance(context, found.agent);
}

const OF_ANOTHER_MODEL =
	'The agent is a tool of another agent, whose model can replace what this tool takes from the item';
const OF_CALLER =
	'The item of this tool is what the caller of the MCP Server Trigger has written, whoever that is';
const ENTER_OTHERWISE =
	"Enter the values, or take them from a node with one item in front of the first agent by name, e.g. $('Task').first().json.customerNo. Nothing was sent or verified.";

const ofAnotherItem = (context: IExecuteFunctions, looksAt: string): NodeOperationError =>
	operationError(
		context.getNode(),
		`An expression of this tool looks at ${looksAt}, and n8n could give it the value of another item`,
		"Put the value into the agent's item with an Edit Fields node in front of the agent, and take it by $json. Nothing was sent or verified.",
	);

const ONE_ITEM_EACH = 'Put a Loop Over Items node with batch size 1 in front of the agent';

const SEVERAL = 'a node with several items or outputs';

const ofAnotherCall = (context: IExecuteFunctions, said: object): NodeOperationError | undefined =>
	isGivenWhatWasSaid(context, said)
		? undefined
		: operationError(
				context.getNode(),
				'n8n would not run this tool with what the model has said in this call',
				'Several calls run at the same time, or the model has said an object or a list as "query". Use an AI Agent node of version 3 or later. Nothing was sent or verified.',
			);

/** Why a tool cannot be run that an older agent, or a caller from outside, runs as its own. */
function refusalOfExecution(context: IExecuteFunctions): NodeOperationError | undefined {
	const node = context.getNode();
	const looksAtItem = !hasOneValueForTools(node.parameters);
	if (looksAtItem && isOfSeveralItems(context))
		return operationError(
			node,
			'The agent works on several items, but this tool would use the expressions of the first item for all',
			`${ONE_ITEM_EACH}. Nothing was sent or verified.`,
		);
	if (looksAtItem && isItemUncertain(context))
		return operationError(
			node,
			isOfCaller(context) ? OF_CALLER : OF_ANOTHER_MODEL,
			ENTER_OTHERWISE,
		);
	const { name } = context.getExecuteData().node;
	if (looksAtOneOfSeveral(context, node.parameters, isItemUncertain(context) ? name : undefined))
		return ofAnotherItem(context, SEVERAL);
	return ofAnotherCall(context, context.getInputData()[0]?.json ?? {});
}

/** What n8n would make of the result of a tool, though it runs as it should. */
function refusalOfResult(
	context: IExecuteFunctions,
	{ agent: { items, turn, idsBefore }, call }: CallOfAgent,
): NodeOperationError | undefined {
	const node = context.getNode();
	if (items.length > 1)
		return operationError(
			node,
			`The agent got ${items.length} items. n8n would tell the model for one of them what this tool has found out for another, and would run an approved tool once for each`,
			`${ONE_ITEM_EACH}. Nothing was sent or verified.`,
		);
	if (node.onError === 'continueErrorOutput')
		return operationError(
			node,
			'This tool has an error output. So n8n does not tell the model what the tool has done, and says that a person rejected the call',
			'Choose another On Error in the settings of this node. Nothing was sent or verified.',
		);
	if (idsBefore.includes(call.action.id))
		return operationError(
			node,
			"The server of the model gave an earlier call the same ID, or none. So n8n would not tell the model this call's result",
			'Use a model whose server gives each call an ID of its own. Nothing was sent or verified.',
		);
	return turn.some(({ action }) => action.metadata?.hitl !== undefined) && !isReviewTool(node)
		? operationError(
				node,
				'The model called this tool together with one that a person has to approve. After the approval n8n forgets the result of this tool',
				'Tell the model in its system message to call one tool at a time. Nothing was sent or verified.',
			)
		: undefined;
}

/** What the model has said in the call, where a field other than the message looks at it. A tool has its name from the author. */
const AT_CALL = /\$tool\b(?!\s*\??\.\s*name\b)|\btoolParameters\b/;

/** Whether the model says who approves its own call, or how. */
function isSaidByModel(node: INode): boolean {
	const parameters = { ...node.parameters, message: '' };
	return (
		asksOf({ ...node, parameters }).length > 0 ||
		textsOf(parameters).some((text) => AT_CALL.test(text))
	);
}

/** Why a person cannot be asked about a call. */
async function refusalOfReview(
	context: IExecuteFunctions,
	found: CallOfAgent,
	isByChance: boolean,
): Promise<NodeOperationError | undefined> {
	const node = context.getNode();
	if (isSaidByModel(node))
		return operationError(
			node,
			'The model would say who approves its own call, or how',
			'Use $fromAI and $tool.parameters only in the Message. Nobody was asked.',
		);
	const another = await showsAnother(context, found, isByChance);
	if (another === undefined) return undefined;
	return operationError(
		node,
		`The person would read another thing than what runs. ${another}`,
		'Nobody was asked, and nothing runs. See docs/reference/send-and-wait.md for the tools that a review can stand in front of.',
	);
}

/** Why the tool of an agent cannot be run; the item of the agent has its own values after this. */
export async function toolRefusal(
	context: IExecuteFunctions,
): Promise<NodeOperationError | undefined> {
	if (isToolExecution(context)) return refusalOfExecution(context);
	if (!isCalledByAgent(context)) return undefined;
	const node = context.getNode();
	const found = callOfAgent(context);
	if (!found)
		return operationError(
			node,
			'n8n does not tell what the model has called this tool with',
			'It may have replaced anything that this node takes from the item. If several agents use this tool, choose v1 as Execution Order in the settings of the workflow. Otherwise update this package. Nothing was sent or verified.',
		);
	restoreItem(context, found);
	const isByChance = isPairedByChance(context, found.agent);
	const refusal =
		refusalOfResult(context, found) ??
		(isReviewTool(node) ? await refusalOfReview(context, found, isByChance) : undefined);
	if (refusal) return refusal;
	if (isNested(found.own) && !hasOneValueForTools(node.parameters))
		return operationError(node, OF_ANOTHER_MODEL, ENTER_OTHERWISE);
	if (isByChance && !hasOneValueForAgentItem(node.parameters))
		return ofAnotherItem(context, 'another node');
	if (looksAtOneOfSeveral(context, node.parameters, isByChance ? found.agent.name : undefined))
		return ofAnotherItem(context, SEVERAL);
	return ofAnotherCall(context, found.call.action.input ?? {});
}
