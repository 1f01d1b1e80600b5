import type { IExecuteFunctions, INode } from 'n8n-workflow';
import { isObject } from '../input/json';
import { isNested, isSameJson, namesOf, valueOf, workflowOf } from './agentCall';
import type { CallOfAgent } from './agentCall';
import { hasOneValueForAgentItem, hasOneValueForTools } from './expressions';

/*
 * Human review of what an agent wants to do: a person approves what the message shows, and n8n runs another node. Wherever the two
 * could differ, nobody is asked.
 */

/** n8n takes what `$tool` and `$fromAI` give from here first. A model can write it beside what the tool really runs with. */
const hasQuery = (said: object): boolean =>
	Object.hasOwn(said, 'query') && isObject(Object(said).query);

/** n8n takes the default of `$fromAI` for it then. */
const isLeftOut = (said: object, name: string): boolean =>
	!Object.hasOwn(said, name) || new Map(Object.entries(said)).get(name) === null;

/** LangChain takes what has this type for a call, and its `args` for what the tool runs with. */
const isToolCall = (said: object): boolean => Object(said).type === 'tool_call';

/** What an agent works on. n8n hands a tool of its own kind the item of the agent as well: other fields could become arguments that nobody reads. */
const TASK_FIELD = 'chatInput';

/** Whether n8n makes a tool of a plain node. Then the model may say what the node asks for with $fromAI, and nothing else. */
function isPlainNode(context: IExecuteFunctions, { type, typeVersion }: INode): boolean {
	const nodeType = workflowOf(context)?.nodeTypes.getByNameAndVersion(type, typeVersion);
	return nodeType !== undefined && !nodeType.supplyData;
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
	if (workflowOf(context)?.getNode(agent.name)?.retryOnFail)
		return 'n8n could run the tool once for each try of the agent. Turn Retry On Fail off in the settings of the agent';
	const said = hitl.originalInput ?? {};
	const shown = { name: hitl.toolName, parameters: hitl.originalInput };
	const asked = namesOf(gated);
	if ((asked.length > 0 && hasQuery(said)) || isToolCall(said) || isToolCall(own))
		return 'The model has said something that n8n takes for the whole call';
	if (!isSameJson(valueOf(context, '$tool'), shown))
		return 'n8n does not show the call that it would run';
	if (asked.length > 0 || isPlainNode(context, gated)) {
		if (Object.keys(said).some((name) => !asked.includes(name)))
			return 'The model has said more than the tool asks for';
		if (asked.some((name) => isLeftOut(said, name)))
			return 'The model has left out a value that the tool asks for, so that nobody could read it';
	} else {
		if (Object.hasOwn(said, 'tool')) return 'The model has said another name of the tool';
		if (Object.keys(own).some((name) => name !== TASK_FIELD && !Object.hasOwn(said, name)))
			return 'n8n gives the tool the fields of the agent\'s item as well. Leave only chatInput in it, with an Edit Fields node in front of the agent';
		if (!hasOneValueForTools(gated.parameters))
			return 'The tool looks at its item, in which the model can replace everything';
	}
	if (isNested(own) && !hasOneValueForTools(gated.parameters))
		return 'The agent is a tool of another agent, whose model can replace what the tool takes from the item';
	const isPaired = isPairedByChance || run > 0 || agent.calls.length > 1;
	if (isPaired && !hasOneValueForAgentItem(gated.parameters))
		return 'The tool looks at another node, and n8n would give it the value of another item';
	return undefined;
}
