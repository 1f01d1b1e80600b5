import { traverseNodeParameters } from 'n8n-workflow';
import type { FromAIArgument, IDataObject, IExecuteFunctions, INode } from 'n8n-workflow';
import { workflowOf } from '../lib/workflow';
import { lazily, z } from '../lib/zod';
import { everyText, nodesLookedAt } from './expressions';

/* The call of an agent for which a tool runs, as n8n keeps it. */

/** How the types end that n8n makes for human review. */
const REVIEW_TOOL = 'HitlTool';

/** The tool of an agent, plain or for human review. */
export const isTool = ({ type }: INode): boolean => type.endsWith('Tool');

/** What has to be approved before the tool behind it runs. */
export const isReviewTool = ({ type }: Pick<INode, 'type'>): boolean => type.endsWith(REVIEW_TOOL);

/**
 * Whether an AI agent runs the node as a tool of its own, and not n8n as a node that it has taken off its stack. Early
 * releases of n8n 2 and before do not tell, but show it: what is executed there is the agent.
 */
export function isToolExecution(context: IExecuteFunctions): boolean {
	if ('isToolExecution' in context && context.isToolExecution()) return true;
	const { node, data } = context.getExecuteData();
	return node.name !== context.getNode().name || !Array.isArray(data.main);
}

/** Field that n8n adds to what an agent calls a tool with; another one in each call. */
export const TOOL_CALL_FIELD = 'toolCallId';

/** With what a review is called by n8n itself: which tool is to run, and with what. */
const OF_REVIEW = ['tool', 'toolParameters'];

/** What the expressions of a node ask a model for. */
export function asksOf({ parameters }: INode): FromAIArgument[] {
	const asked: FromAIArgument[] = [];
	traverseNodeParameters(parameters, asked);
	return asked;
}

/** The names of these. */
export const namesOf = (node: INode): string[] => asksOf(node).map(({ key }) => key);

/** Fields that are those of the call, whatever the item holds. */
export const namesOfCall = (node: INode): readonly string[] =>
	isReviewTool(node) ? [...OF_REVIEW, TOOL_CALL_FIELD] : [TOOL_CALL_FIELD];

/** One call of a tool, as n8n keeps it for the agent that has called it. */
const callSchema = lazily(() =>
	z.object({
		nodeName: z.string(),
		runIndex: z.number().optional(),
		action: z.object({
			/** as the model's server has given it */
			id: z.unknown().optional(),
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
							originalInput: z.unknown().optional(),
						})
						.optional(),
				})
				.optional(),
		}),
	}),
);

type Call = z.output<ReturnType<typeof callSchema>>;

const NONE_BEFORE = { previousRequests: [] };

/** What n8n keeps of a call of an earlier turn. */
const stepSchema = lazily(() =>
	z.object({ action: z.object({ toolCallId: z.unknown().optional() }) }).catch({ action: {} }),
);

/** What n8n keeps of an agent that has called tools: the items that it works on, and what for which of them it called. */
const callingAgentSchema = lazily(() =>
	z.object({
		node: z.object({ name: z.string() }),
		/** which run of the agent it is, in a loop */
		runIndex: z.number().optional(),
		data: z.object({ main: z.array(z.array(z.unknown()).nullable()) }),
		metadata: z.object({
			subNodeExecutionData: z.object({
				actions: z.array(z.unknown()),
				metadata: z.object({ previousRequests: z.array(z.unknown()).catch([]) }).catch(NONE_BEFORE),
			}),
		}),
	}),
);

const executionSchema = lazily(() =>
	z.object({
		runExecutionData: z.object({
			executionData: z.object({ nodeExecutionStack: z.array(z.unknown()) }),
			resultData: z.object({ runData: z.record(z.string(), z.array(z.unknown())) }),
		}),
	}),
);

const executionOf = (context: IExecuteFunctions) =>
	executionSchema().safeParse(context).data?.runExecutionData;

const itemSchema = lazily(() => z.object({ json: z.looseObject({}) }));

interface CallingAgent {
	name: string;
	items: unknown[];
	run: number;
	/** all calls of the turn */
	turn: Call[];
	/** those of this node */
	calls: Call[];
	/** the ids of the calls of earlier turns */
	idsBefore: unknown[];
}

/** The agents that wait for a call of this node, each with its calls. */
function callingAgents(context: IExecuteFunctions): CallingAgent[] {
	const { name } = context.getNode();
	return (executionOf(context)?.executionData.nodeExecutionStack ?? []).flatMap((entry) => {
		const { data: agent } = callingAgentSchema().safeParse(entry);
		if (!agent) return [];
		const { node, runIndex: run = 0, data, metadata } = agent;
		const turn = metadata.subNodeExecutionData.actions.flatMap(
			(action) => callSchema().safeParse(action).data ?? [],
		);
		const calls = turn.filter(({ nodeName }) => nodeName === name);
		const { previousRequests } = metadata.subNodeExecutionData.metadata;
		const idsBefore = previousRequests.map((step) => stepSchema().parse(step).action.toolCallId);
		const items = data.main[0] ?? [];
		return calls.length > 0 ? [{ name: node.name, items, run, turn, calls, idsBefore }] : [];
	});
}

/** The call of an agent of version 3 for which the node runs, and the item that it is about. */
export interface CallOfAgent {
	agent: CallingAgent;
	/** which run of the node it is */
	run: number;
	call: Call;
	own: IDataObject;
}

/** Whether an agent of version 3 has called the node, which n8n then runs like any other. */
export function isCalledByAgent(context: IExecuteFunctions): boolean {
	const [item] = context.getInputData();
	return (
		isTool(context.getNode()) &&
		!isToolExecution(context) &&
		item !== undefined &&
		TOOL_CALL_FIELD in item.json
	);
}

export function callOfAgent(context: IExecuteFunctions): CallOfAgent | undefined {
	const run = Number(context.getWorkflowDataProxy(0).$runIndex);
	for (const agent of callingAgents(context)) {
		const call = agent.calls.find(({ runIndex }) => runIndex === run);
		const index = call?.action.metadata?.itemIndex ?? 0;
		const { data: own } = itemSchema().safeParse(agent.items[index]);
		if (call && own) return { agent, run, call, own: own.json as IDataObject };
	}
	return undefined;
}

/** Whether two values are the same as JSON. */
export const isSameJson = (a: unknown, b: unknown): boolean =>
	JSON.stringify(a) === JSON.stringify(b);

/** What an expression gives that n8n evaluates without an item; undefined when it throws. */
export function valueOf(context: IExecuteFunctions, expression: string): unknown {
	try {
		return context.evaluateExpression(`{{ ${expression} }}`, 0);
	} catch {
		return undefined;
	}
}

/** What a model has said under a name; undefined for null as well, which n8n takes for nothing. */
export const saidOf = (said: object, name: string): unknown =>
	new Map<string, unknown>(Object.entries(said)).get(name) ?? undefined;

/**
 * Whether n8n gives `$fromAI` what the model has said in this very call. Older agents may have several instances of a tool at
 * work at once, which n8n counts as one and the same run.
 */
export const isGivenWhatWasSaid = (context: IExecuteFunctions, said: object): boolean =>
	namesOf(context.getNode()).every((name) =>
		isSameJson(valueOf(context, `$fromAI(${JSON.stringify(name)})`), saidOf(said, name)),
	);

/** How the type ends of what offers tools to callers from outside, and gives them what these have written as their item. */
const CALLED_FROM_OUTSIDE = 'mcpTrigger';

/** Whether the item of a tool is what a caller from outside has written. On a worker n8n says that the tool itself is executed then. */
export function isOfCaller(context: IExecuteFunctions): boolean {
	if (!isToolExecution(context)) return false;
	const { type, name } = context.getExecuteData().node;
	return type.endsWith(CALLED_FROM_OUTSIDE) || name === context.getNode().name;
}

/** Whether the agent is a tool itself: what it works on is what another model has said. */
export const isNested = (item: IDataObject | undefined): boolean =>
	item !== undefined && TOOL_CALL_FIELD in item;

/**
 * Whether n8n may pair the item of a tool with that of another one: it takes the first item of an agent; that of another round or
 * branch in a loop, or behind another output than the first; and that of another run where a node before the agent has run more than once.
 */
export function isPairedByChance(
	context: IExecuteFunctions,
	{ items, run, name }: CallingAgent,
): boolean {
	const workflow = workflowOf(context);
	const before = workflow?.connectionsByDestinationNode[name]?.main?.flat();
	const after = workflow?.getChildNodes(name) ?? [];
	// It may be reached for the first time in a later round.
	const isInLoop = workflow?.getParentNodes(name).some((each) => after.includes(each)) ?? false;
	const runData = executionOf(context)?.resultData.runData;
	const isBehindFirst = before?.every((from) => !from || from.index === 0) ?? false;
	const isOnce =
		before?.every((from) => !from || (runData?.[from.node]?.length ?? 0) <= 1) ?? false;
	return items.length > 1 || run > 0 || isInLoop || !isBehindFirst || !isOnce;
}

const runSchema = lazily(() =>
	z.object({ data: z.object({ main: z.array(z.array(z.unknown()).nullable()) }) }),
);

/** How many items a node has given out in all its runs, by output; undefined where n8n does not tell. */
function itemsOut(context: IExecuteFunctions, name: string): number[] | undefined {
	const execution = executionOf(context);
	if (!execution) return undefined;
	const counts: number[] = [];
	for (const run of execution.resultData.runData[name] ?? [])
		for (const [output, items] of (runSchema().safeParse(run).data?.data.main ?? []).entries())
			counts[output] = (counts[output] ?? 0) + (items?.length ?? 0);
	return counts;
}

/**
 * Whether n8n could give a tool another item of a node than its author means: it takes the first output, whichever the agent stands
 * behind. That of a node with several items is the same for all rounds of a loop, and that of a node in the loop may be of another round.
 *
 * @param stored parameters, or a credential
 * @param agent that may run the tool for another item than its first; undefined where it does not
 */
export const looksAtOneOfSeveral = (
	context: IExecuteFunctions,
	stored: unknown,
	agent: string | undefined,
): boolean =>
	!everyText((text) =>
		nodesLookedAt(text).every((name) => {
			// A text that is no expression may have such signs of its own.
			if (name === undefined) return !text.startsWith('=') && !text.includes('{{');
			const [first = 0, ...others] = itemsOut(context, name) ?? [0, 1];
			if (others.some((count) => count > 0)) return false;
			if (agent === undefined) return true;
			return first <= 1 && !workflowOf(context)?.getChildNodes(agent).includes(name);
		}),
	)(stored);
