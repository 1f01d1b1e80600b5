import { traverseNodeParameters } from 'n8n-workflow';
import type {
	FromAIArgument,
	IDataObject,
	IExecuteFunctions,
	INode,
	NodeOperationError,
	Workflow,
} from 'n8n-workflow';
import { isObject } from '../input/json';
import { lazily, z } from '../lib/zod';
import { operationError } from './errors';
import { hasOneValueForAgentItem, hasOneValueForTools } from './expressions';

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
const isOfSeveralItems = (context: IExecuteFunctions): boolean =>
	isToolExecution(context) && (context.getExecuteData().data.main?.[0]?.length ?? 0) > 1;

/** One call of a tool, as n8n keeps it for the agent that has called it. */
const callSchema = lazily(() =>
	z.object({
		nodeName: z.string(),
		runIndex: z.number().optional(),
		action: z.object({
			/** all that the model has said, under whatever names */
			input: z.looseObject({}).optional(),
			metadata: z
				.object({
					itemIndex: z.number().optional(),
					/** which tool is really to run after a review, and with what */
					hitl: z
						.object({
							gatedToolNodeName: z.string(),
							toolName: z.string(),
							originalInput: z.looseObject({}).optional(),
						})
						.optional(),
				})
				.optional(),
		}),
	}),
);

type Call = z.output<ReturnType<typeof callSchema>>;

/** What n8n keeps of an agent that has called tools: the items that it works on, and what for which of them it called. */
const callingAgentSchema = lazily(() =>
	z.object({
		node: z.object({ name: z.string() }),
		/** which run of the agent it is, in a loop */
		runIndex: z.number().optional(),
		data: z.object({ main: z.array(z.array(z.unknown()).nullable()) }),
		metadata: z.object({ subNodeExecutionData: z.object({ actions: z.array(callSchema()) }) }),
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

interface CallingAgent {
	name: string;
	items: unknown[];
	run: number;
	calls: Call[];
}

/** The agents that wait for a call of this node, each with its calls. */
function callingAgents(context: IExecuteFunctions): CallingAgent[] {
	const { data: found } = stackSchema().safeParse(context);
	const { name } = context.getNode();
	return (found?.runExecutionData.executionData.nodeExecutionStack ?? []).flatMap((entry) => {
		const { data: agent } = callingAgentSchema().safeParse(entry);
		if (!agent) return [];
		const { node, runIndex: run = 0, data, metadata } = agent;
		const calls = metadata.subNodeExecutionData.actions.filter(({ nodeName }) => nodeName === name);
		return calls.length > 0 ? [{ name: node.name, items: data.main[0] ?? [], run, calls }] : [];
	});
}

/** How many items the agent works on that has called this node; 0 where there is none. */
export const itemsOfAgent = (context: IExecuteFunctions): number =>
	callingAgents(context)[0]?.items.length ?? 0;

/** Field that n8n adds to what an agent calls a tool with; another one in each call. */
export const TOOL_CALL_FIELD = 'toolCallId';

/** With what a review is called by n8n itself: which tool is to run, and with what. */
const OF_REVIEW = ['tool', 'toolParameters'];

/** The names that the expressions of a node ask a model for. */
function namesOf({ parameters }: INode): string[] {
	const asked: FromAIArgument[] = [];
	traverseNodeParameters(parameters, asked);
	return asked.map(({ key }) => key);
}

/** What a model may say. */
const namesAskedFor = (node: INode): ReadonlySet<string> =>
	new Set([...namesOf(node), ...(isReviewTool(node) ? OF_REVIEW : []), TOOL_CALL_FIELD]);

/** The call of an agent of version 3 for which the node runs, and the item that it is about. */
interface CallOfAgent {
	agent: CallingAgent;
	call: Call;
	own: IDataObject;
}

/** Whether an agent of version 3 has called the node, which n8n then runs like any other. */
function isCalledByAgent(context: IExecuteFunctions): boolean {
	const [item] = context.getInputData();
	return (
		isTool(context.getNode()) &&
		!isToolExecution(context) &&
		item !== undefined &&
		TOOL_CALL_FIELD in item.json
	);
}

function callOfAgent(context: IExecuteFunctions): CallOfAgent | undefined {
	const run: unknown = context.getWorkflowDataProxy(0).$runIndex;
	for (const agent of callingAgents(context)) {
		const call = agent.calls.find(({ runIndex }) => runIndex === run);
		const index = call?.action.metadata?.itemIndex ?? 0;
		const { data: own } = itemSchema().safeParse(agent.items[index]);
		if (call && own) return { agent, call, own: own.json as IDataObject };
	}
	return undefined;
}

/**
 * Gives a tool the item of its agent back. n8n lays everything over it that the model has called the tool with, also under names
 * that nobody asked for: so a model could say who is asked, and whose key counts, where that is taken from the item.
 */
function restoreItem(context: IExecuteFunctions, { own }: CallOfAgent): void {
	const asked = namesAskedFor(context.getNode());
	const [item] = context.getInputData();
	const said = Object.entries(item?.json ?? {}).filter(([name]) => asked.has(name));
	const json = { ...own, ...Object.fromEntries(said) };
	// What n8n stores and what expressions see are two where Execute Once is on.
	const [stored] = context.getExecuteData().data.main?.[0] ?? [];
	for (const each of [item, stored]) if (each) each.json = json;
}

const workflowSchema = lazily(() => z.object({ workflow: z.custom<Workflow>(isObject) }));

/** The workflow as n8n works with it. Nodes are not promised it. */
export const workflowOf = (context: IExecuteFunctions): Workflow | undefined =>
	workflowSchema().safeParse(context).data?.workflow;

/** n8n takes what `$tool` and `$fromAI` give from here first. A model can write it beside what the tool really runs with. */
const hasQuery = (said: object | undefined): boolean =>
	said !== undefined && Object.hasOwn(said, 'query') && isObject(Object(said).query);

/**
 * Whether a person could read another thing than what runs after the approval. n8n shows what the model has said of the call, and
 * runs the tool with what it has said beside.
 */
function showsAnother(context: IExecuteFunctions, { action }: Call): boolean {
	const { input, metadata: { hitl } = {} } = action;
	if (!input || !hitl || input.tool !== hitl.toolName) return true;
	const { originalInput = {} } = hitl;
	if (hasQuery(input) || hasQuery(originalInput)) return true;
	const reviewed = workflowOf(context)?.getNode(hitl.gatedToolNodeName);
	if (!reviewed) return true;
	const asked = namesOf(reviewed);
	return asked.length > 0 && Object.keys(originalInput).some((name) => !asked.includes(name));
}

/** Whether the agent is a tool itself: what it works on is what another model has said. */
const isNested = (item: IDataObject | undefined): boolean =>
	item !== undefined && TOOL_CALL_FIELD in item;

/**
 * Whether n8n may pair the item of a tool with that of another one: it takes the first item of an agent, and in a loop or behind
 * another output than the first that of another branch.
 */
function isPairedByChance(context: IExecuteFunctions, { items, run, name }: CallingAgent): boolean {
	const before = workflowOf(context)?.connectionsByDestinationNode[name]?.main;
	const isBehindFirst = before?.flat().every((from) => !from || from.index === 0) ?? false;
	return items.length > 1 || run > 0 || !isBehindFirst;
}

/**
 * Whether an expression that looks at an item may be given that of another one, or what a model has said: older agents with
 * several items, agents that are tools themselves, and what n8n pairs for agents of version 3.
 */
export function isItemUncertain(context: IExecuteFunctions): boolean {
	if (isToolExecution(context))
		return (
			isOfSeveralItems(context) || isNested(context.getExecuteData().data.main?.[0]?.[0]?.json)
		);
	if (!isCalledByAgent(context)) return false;
	const found = callOfAgent(context);
	return !found || isNested(found.own) || isPairedByChance(context, found.agent);
}

const OF_ANOTHER_MODEL =
	'The agent is a tool of another agent, whose model can replace what this tool takes from the item';
const ENTER_OTHERWISE =
	"Enter the values, or take them from a node in front of the first agent by name, e.g. $('Task').first().json.customerNo. Nothing was sent or verified.";

/** Why the tool of an agent cannot be run; the item of the agent has its own values after this. */
export function toolRefusal(context: IExecuteFunctions): NodeOperationError | undefined {
	const node = context.getNode();
	// Asked only of tools: it goes through all that is stored.
	const looksAtItem = () => !hasOneValueForTools(node.parameters);
	if (isOfSeveralItems(context) && looksAtItem())
		return operationError(
			node,
			'The agent works on several items, but this tool would use the expressions of the first item for all',
			'Put a Loop Over Items node with batch size 1 in front of the agent, or use an AI Agent node of version 3 or later. Nothing was sent or verified.',
		);
	if (isToolExecution(context) && isItemUncertain(context) && looksAtItem())
		return operationError(node, OF_ANOTHER_MODEL, ENTER_OTHERWISE);
	if (!isCalledByAgent(context)) return undefined;
	const found = callOfAgent(context);
	if (!found)
		return operationError(
			node,
			'n8n does not tell what the model has called this tool with',
			'It may have replaced anything that this node takes from the item. Update this package. Nothing was sent or verified.',
		);
	restoreItem(context, found);
	if (isReviewTool(node) && showsAnother(context, found.call))
		return operationError(
			node,
			'The model has called the tool so that the person would read another thing than what runs',
			'It has said more than the tool asks for, or an object as "query". Nobody was asked, and nothing runs.',
		);
	if (isNested(found.own) && looksAtItem())
		return operationError(node, OF_ANOTHER_MODEL, ENTER_OTHERWISE);
	if (!isPairedByChance(context, found.agent) || hasOneValueForAgentItem(node.parameters))
		return undefined;
	return operationError(
		node,
		'An expression of this tool looks at another node, and n8n would give it the value of another item',
		"Put the value into the agent's item with an Edit Fields node in front of the agent, and take it by $json. Nothing was sent or verified.",
	);
}
