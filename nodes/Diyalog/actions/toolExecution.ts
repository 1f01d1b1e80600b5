import { traverseNodeParameters } from 'n8n-workflow';
import type { FromAIArgument, IExecuteFunctions, INode, NodeOperationError } from 'n8n-workflow';
import { lazily, z } from '../lib/zod';
import { operationError } from './errors';
import { hasOneValueForTools } from './expressions';

/** How the types end that n8n makes for human review. */
const REVIEW_TOOL = 'HitlTool';

/** The tool of an agent, plain or for human review. */
export const isTool = ({ type }: INode): boolean => type.endsWith('Tool');

/** What has to be approved before the tool behind it runs. */
export const isReviewTool = ({ type }: INode): boolean => type.endsWith(REVIEW_TOOL);

/**
 * Whether an AI agent runs the node as a tool of its own, and not n8n as a node that it has taken off its stack. Early
 * releases of n8n 2 and before do not tell, but show it: what is executed there is the agent.
 */
export function isToolExecution(context: IExecuteFunctions): boolean {
	if ('isToolExecution' in context && context.isToolExecution()) return true;
	const { node, data } = context.getExecuteData();
	return node.name !== context.getNode().name || !Array.isArray(data.main);
}

/**
 * Whether an agent that works on several items runs the node as a tool of its own: n8n evaluates expressions for the first of
 * them then, whichever the call is about.
 */
export const isOfSeveralItems = (context: IExecuteFunctions): boolean =>
	isToolExecution(context) && (context.getExecuteData().data.main?.[0]?.length ?? 0) > 1;

/** What n8n keeps of an agent that has called tools: the items that it works on, and what for which of them it called. */
const callingAgentSchema = lazily(() =>
	z.object({
		data: z.object({ main: z.array(z.array(z.unknown()).nullable()) }),
		metadata: z.object({
			subNodeExecutionData: z.object({
				actions: z.array(
					z.object({
						nodeName: z.string(),
						runIndex: z.number().optional(),
						action: z.object({
							metadata: z.object({ itemIndex: z.number().optional() }).optional(),
						}),
					}),
				),
			}),
		}),
	}),
);

const stackSchema = lazily(() =>
	z.object({
		runExecutionData: z.object({
			executionData: z.object({ nodeExecutionStack: z.array(z.unknown()) }),
		}),
	}),
);

const itemSchema = lazily(() => z.object({ json: z.looseObject({}) }));

/** The agents that wait for a call of this node, each with its calls. */
function callingAgents(context: IExecuteFunctions) {
	const { data: found } = stackSchema().safeParse(context);
	const { name } = context.getNode();
	return (found?.runExecutionData.executionData.nodeExecutionStack ?? []).flatMap((entry) => {
		const { data: agent } = callingAgentSchema().safeParse(entry);
		const calls = agent?.metadata.subNodeExecutionData.actions ?? [];
		const own = calls.filter(({ nodeName }) => nodeName === name);
		return agent && own.length > 0 ? [{ items: agent.data.main[0] ?? [], calls: own }] : [];
	});
}

/** How many items the agent works on that has called this node; 0 where there is none. */
export const itemsOfAgent = (context: IExecuteFunctions): number =>
	callingAgents(context)[0]?.items.length ?? 0;

/** Field that n8n adds to what an agent calls a tool with; another one in each call. */
export const TOOL_CALL_FIELD = 'toolCallId';

/** With what a review is called by n8n itself: which tool is to run, and with what. */
const OF_REVIEW = ['tool', 'toolParameters'];

/** What a model may say: the names that the node asks it for. */
function namesAskedFor(node: INode): ReadonlySet<string> {
	const asked: FromAIArgument[] = [];
	traverseNodeParameters(node.parameters, asked);
	const own = isReviewTool(node) ? OF_REVIEW : [];
	return new Set([...asked.map(({ key }) => key), ...own, TOOL_CALL_FIELD]);
}

/**
 * Gives a tool the item of its agent back. n8n lays everything over it that the model has called the tool with, also under names
 * that nobody asked for: so a model could say who is asked, and whose key counts, where that is taken from the item.
 *
 * @returns whether it is known what the model has said
 */
function restoreItemOfAgent(context: IExecuteFunctions): boolean {
	const node = context.getNode();
	const [item] = context.getInputData();
	if (!isTool(node) || isToolExecution(context) || !item || !(TOOL_CALL_FIELD in item.json))
		return true;
	const run: unknown = context.getWorkflowDataProxy(0).$runIndex;
	for (const { items, calls } of callingAgents(context)) {
		const call = calls.find(({ runIndex }) => runIndex === run);
		const { data: own } = itemSchema().safeParse(items[call?.action.metadata?.itemIndex ?? 0]);
		if (!call || !own) continue;
		const asked = namesAskedFor(node);
		const said = Object.entries(item.json).filter(([name]) => asked.has(name));
		const json = { ...(own.json as typeof item.json), ...Object.fromEntries(said) };
		// What n8n stores and what expressions see are two where Execute Once is on.
		const [stored] = context.getExecuteData().data.main?.[0] ?? [];
		for (const each of [item, stored]) if (each) each.json = json;
		return true;
	}
	return false;
}

/** Why the tool of an agent cannot be run; the item of the agent has its own values after this. */
export function toolRefusal(context: IExecuteFunctions): NodeOperationError | undefined {
	const node = context.getNode();
	if (!restoreItemOfAgent(context))
		return operationError(
			node,
			'n8n does not tell what the model has called this tool with',
			'It may have replaced anything that this node takes from the item. Update this package. Nothing was sent or verified.',
		);
	if (!isOfSeveralItems(context) || hasOneValueForTools(node.parameters)) return undefined;
	return operationError(
		node,
		'The agent works on several items, and an expression of this tool would be that of the first for all of them',
		'Put a Loop Over Items node with batch size 1 in front of the agent, or use an AI Agent node of version 3 or later. Nothing was sent or verified.',
	);
}
