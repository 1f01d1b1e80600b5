import type { FromAIArgument, IExecuteFunctions, INode } from 'n8n-workflow';
import { isObject } from '../input/json';
import { workflowOf } from '../lib/workflow';
import {
	asksOf,
	isNested,
	isSameJson,
	looksAtOneOfSeveral,
	saidOf,
	TOOL_CALL_FIELD,
	valueOf,
} from './agentCall';
import type { CallOfAgent } from './agentCall';
import { fieldsReadIn, looksOnlyAtAgentItem, textsOf } from './expressions';
import { offeredTool, runsWithAll } from './toolSchema';

/*
 * Human review of what an agent wants to do: a person approves what the message shows, and n8n runs another node. Wherever the two
 * could differ, nobody is asked.
 */

/**
 * n8n takes what `$tool` and `$fromAI` give from here first: of a list as well, which has a length. A model can write it beside what the
 * tool really runs with.
 */
const hasQuery = (said: object): boolean => typeof saidOf(said, 'query') === 'object';

const TAKEN_FOR_CALL = 'The model has said something that n8n takes for the whole call';

/** LangChain takes what has this type for a call, and its `args` for what the tool runs with. */
const isToolCall = (said: object): boolean => Object(said).type === 'tool_call';

/** What an agent works on. n8n hands a tool with arguments of its own the item of the agent as well. */
const TASK_FIELD = 'chatInput';

/** Under this name n8n gives a tool its own name. */
const TOOL_FIELD = 'tool';

/** All arguments, as n8n proposes it for the message, which is an object and no text, and as text. */
export const TOOL_PARAMETERS =
	/\{\{\s*(?:\$tool\.parameters|JSON\.stringify\(\s*\$tool\.parameters\s*\))\s*\}\}/g;

const TOOL_NAME = /\{\{\s*\$tool\.name\s*\}\}/;

/** Whether n8n makes a tool of a plain node. Then the model may say what the node asks for with $fromAI, and nothing else. */
function isPlainNode(context: IExecuteFunctions, { type, typeVersion }: INode): boolean {
	const nodeType = workflowOf(context)?.nodeTypes.getByNameAndVersion(type, typeVersion);
	return nodeType !== undefined && !nodeType.supplyData;
}

/**
 * Whether n8n makes its arguments of what it asks for with $fromAI: a workflow tool with fields. Other tools have arguments of their own,
 * whatever their author has written into a setting.
 */
function isWorkflowToolWithFields({ type, typeVersion, parameters }: INode): boolean {
	const { schema } = Object(parameters.workflowInputs) as { schema?: unknown };
	const hasFields = Array.isArray(schema) && schema.length > 0;
	return type === '@n8n/n8n-nodes-langchain.toolWorkflow' && typeVersion >= 2 && hasFields;
}

/** What some tools expand in a text after the approval: an expression of n8n, or what JavaScript replaces in a replacement. */
const EXPANDED = /\{\{|\$[$&`']/;

/** Whether it stands in a text, or in two that a tool may write side by side. */
function isExpanded({ parameters }: INode, said: unknown): boolean {
	const texts = textsOf(said);
	// A node that evaluates braces itself may put a mark of its author's behind it.
	const isEvaluated = textsOf(parameters).some((text) => /^(?!=)[^]*\{\{/.test(text));
	if (isEvaluated && texts.some((text) => text.endsWith('$'))) return true;
	const ends = ['{', '$'].filter((end) => texts.some((text) => text.endsWith(end)));
	return texts.some((text) => ['', ...ends].some((end) => EXPANDED.test(end + text)));
}

/**
 * Nodes that make a statement for a database of a text. Most replace a number behind $ in it, also where a model has written that, by a
 * value that stands elsewhere.
 */
const DATABASE =
	/\.(?:postgres|mySql|timescaleDb|crateDb|questDb|supabase|snowflake|oracleDatabase|googleBigQuery|microsoftSql|databricks|mongoDb)(?:Tool)?$/;

/** Under these names such a node has a statement, a part of one as JSON, or the names of fields of the item. */
const STATEMENT_FIELDS = ['query', 'sqlQuery', 'filterString', 'queryParams', 'projection'];

/** All fields of parameters with their names: a group or list, and behind it what is in it. */
const fieldsIn = (parameters: object): Array<[name: string, value: unknown]> =>
	Object.entries(parameters).flatMap(([name, value]: [string, unknown]) => [
		[name, value],
		...(typeof value === 'object' && value !== null ? fieldsIn(value) : []),
	]);

const asksModel = (value: unknown): boolean =>
	textsOf(value).some((text) => /\$fromai\b/i.test(text));

/** Whether what a model says becomes a part of a statement, where it can be read as more than a value. */
const isInStatement = (parameters: object): boolean =>
	fieldsIn(parameters).some(
		([name, value]) =>
			// MongoDB sorts by a text of JSON. Elsewhere it is a list of columns.
			(STATEMENT_FIELDS.includes(name) || (name === 'sort' && typeof value === 'string')) &&
			asksModel(value),
	);

/** Values of a database node. It splits a text at commas, and leaves out what is empty. */
const VALUES_FIELD = 'queryReplacement';
const LIST = /^=\s*\{\{\s*\[(?:(?!\{\{)[^])*\]\s*\}\}\s*$/;

const valuesIn = (parameters: object): string[] =>
	fieldsIn(parameters)
		.filter(([name, value]) => name === VALUES_FIELD && typeof value !== 'object' && value !== '')
		.map(([, value]) => String(value));

/**
 * Why a tool with arguments of its own could run with others than a person reads. Its item is made of four, each laid over the one
 * before: the agent's item, `tool`, what the model has said, and `toolCallId`.
 */
function ofOwnArguments(own: object, said: object): string | undefined {
	if (Object.hasOwn(said, TOOL_FIELD)) return 'The model has said another name of the tool';
	if (Object.hasOwn(said, TASK_FIELD))
		return 'The model has said an argument under the name chatInput, which is that of the task';
	if (Object.hasOwn(said, TOOL_CALL_FIELD))
		return 'The model has said an argument under the name toolCallId, in the place of which n8n gives the tool the ID of the call';
	if (Object.keys(own).every((name) => name === TASK_FIELD)) return undefined;
	return "n8n gives such a tool the fields of the agent's item as well. Leave only chatInput in it, without sessionId and action, with an Edit Fields node in front of the agent";
}

/** Why such a tool would leave out a part of what a person reads, or change it. */
async function ofSchema(
	context: IExecuteFunctions,
	gated: INode,
	toolName: string,
	said: object,
	{ call, own }: CallOfAgent,
): Promise<string | undefined> {
	try {
		const offered = await offeredTool(context, gated, toolName);
		if (!offered) return 'n8n does not tell which arguments the tool has';
		const gets = { ...own, [TOOL_FIELD]: toolName, ...said, [TOOL_CALL_FIELD]: call.action.id };
		if (await runsWithAll(offered, said, gets)) return undefined;
		return "The model has said an argument that the tool does not have, or a value that the tool does not take. The tool would run without it. Tell the model in its system message to say only what is in the tool's schema, and let that allow other fields at its top: n8n adds chatInput, tool and toolCallId";
	} catch (error) {
		return `n8n could not tell which arguments the tool has: ${error instanceof Error ? error.message : String(error)}`;
	}
}

/** Whether the model has said what the tool asks for, and nothing that reads like one thing and runs as another. */
function isOfType({ type = 'string' }: FromAIArgument, value: unknown): boolean {
	if (type === 'json') return true;
	// n8n stores a number without end as nothing while the person is asked.
	if (typeof value === 'number' && !Number.isFinite(value)) return false;
	return typeof value === type;
}

/** Why a tool that asks the model for some values could run with others than a person reads. */
function ofValuesAskedFor(
	{ parameters, type }: INode,
	asked: readonly FromAIArgument[],
	said: object,
): string | undefined {
	const names = asked.map(({ key }) => key);
	if (Object.keys(said).some((name) => !names.includes(name)))
		return 'The model has said more than the tool asks for';
	// n8n takes the default of $fromAI for it then.
	if (names.some((name) => saidOf(said, name) === undefined))
		return 'The model left out a value that the tool asks for. The person could not read it';
	if (!asked.every((each) => isOfType(each, saidOf(said, each.key))))
		return 'The model has said a value of another type than the tool asks for';
	if (DATABASE.test(type) && isInStatement(parameters))
		return 'The tool puts what the model says into a statement for a database, which could be read as another one. Give it as Query Parameters (Supabase: Filters (String) Parameters), or in columns';
	const values = valuesIn(parameters);
	if (values.length > 0 && textsOf(said).some((text) => /\$\d/.test(text)))
		return 'The model has written $ with a number, which the tool takes for one of its Query Parameters';
	if (values.some((value) => asksModel(value) && !LIST.test(value)))
		return 'The tool splits a text at commas. Enter its Query Parameters as a list in one expression: {{ [...] }}';
	return hasQuery(said) ? TAKEN_FOR_CALL : undefined;
}

/** Whether it gives the call to an agent that does not stand in this workflow. */
const isAgentItself = ({ type }: INode): boolean => type.endsWith('.messageAnAgentTool');

/** Whether a tool may make the execution wait. n8n then disables it for all calls of the turn, and passes their input on. */
const mayWait = ({ type, parameters }: INode): boolean =>
	/\.(?:toolWorkflow|chatTool)$/.test(type) || /^=|AndWait$/.test(String(parameters.operation));

/** Whether it is a tool of this package, which gives itself the item of the agent back. */
const isOwnTool = (review: INode, gated: INode): boolean =>
	gated.type === review.type.replace(/HitlTool$/, 'Tool');

/** n8n lays that, and what the model says, over the item of the tool, and the review shows the item as it was. */
function ofSameName(works: INode[], own: object, said: object): string | undefined {
	const isRead = fieldsReadIn(works.map(({ parameters }) => parameters));
	const isOfField = (name: string): boolean => Object.hasOwn(own, name) || isRead(name);
	if (isOfField(TOOL_FIELD))
		return "n8n gives the tool its own name as the field tool of the item. Give the item's field another name";
	return Object.keys(said).some(isOfField)
		? 'The tool asks for a value under the name of a field of an item. Give the value another name in $fromAI'
		: undefined;
}

/** Nodes of n8n and of this package. Those of others may have code in fields under any name. */
const HAS_KNOWN_FIELDS = /^(?:n8n-nodes-base|@n8n\/n8n-nodes-langchain|n8n-nodes-diyalog)\./;

/** The nodes that work for a tool, such as the model of a vector store. */
function nodesBelow(context: IExecuteFunctions, name: string): INode[] {
	const workflow = workflowOf(context);
	const found = workflow?.getParentNodes(name, 'ALL_NON_MAIN') ?? [];
	return found.flatMap((each) => workflow?.getNode(each) ?? []);
}

/**
 * Whether a message ends with the tool and every word of the model.
 *
 * @param entered the message as its author has written it
 */
export function endsWithCall(entered: string): boolean {
	const places = [TOOL_NAME, TOOL_PARAMETERS].map((shown) => entered.search(shown));
	const end = entered.slice(Math.min(...places));
	// Words of the model behind the call could read like another one.
	const isLast = !end.replace(TOOL_PARAMETERS, '').replace(TOOL_NAME, '').includes('{{');
	return entered.startsWith('=') && !places.includes(-1) && isLast;
}

/**
 * The call that n8n runs after the approval, as a person reads it below a message: the tool, and every word of the model. It is empty
 * where no call is known.
 */
export function callToShow(context: IExecuteFunctions): string {
	const tool = valueOf(context, '$tool');
	if (!isObject(tool)) return '';
	return `${String(tool.name)}: ${JSON.stringify(tool.parameters ?? {})}`;
}

/**
 * Whether a person could read another thing than what runs after the approval.
 *
 * @returns why; undefined when it is the same
 */
export async function showsAnother(
	context: IExecuteFunctions,
	ofAgent: CallOfAgent,
	isPairedByChance: boolean,
): Promise<string | undefined> {
	const { agent, call, own, run } = ofAgent;
	const { hitl } = call.action.metadata ?? {};
	const workflow = workflowOf(context);
	const gated = hitl && workflow?.getNode(hitl.gatedToolNodeName);
	if (!hitl || !workflow || !gated) return 'n8n does not tell which tool is to run';
	if (isNested(own))
		return 'The agent is a tool of another agent, whose model can replace what the tool takes from the item';
	if (gated.retryOnFail || workflow.getNode(agent.name)?.retryOnFail)
		return 'n8n could run the tool several times. Turn Retry On Fail off in the tool and in the agent';
	if (gated.onError === 'continueErrorOutput')
		return 'The tool has an error output. n8n would not tell the model that the tool has run, and the model could call it again. Choose another On Error in the settings of the tool';
	if (isAgentItself(gated) || workflow.getParentNodes(gated.name, 'ai_tool', 1).length > 0)
		return 'The tool is an agent, and nobody would read what its own tools run with';
	const before = agent.turn.slice(0, agent.turn.indexOf(call));
	const isSecond = before.some(
		({ action }) => action.metadata?.hitl?.gatedToolNodeName === gated.name,
	);
	if (isSecond && mayWait(gated) && !isOwnTool(context.getNode(), gated))
		return 'The model called the tool several times in one turn, and the tool can wait. n8n could run the first call only. Tell the model in its system message to call one tool at a time';
	const { toolName: name, originalInput: parameters } = hitl;
	if (Array.isArray(parameters))
		return 'The model has said a list in the place of the arguments, which n8n would take apart. Tell the model in its system message to give each argument its name';
	const said = isObject(parameters) ? parameters : {};
	const isText = !isObject(parameters ?? {});
	if (isToolCall(said) || isToolCall(own)) return TAKEN_FOR_CALL;
	if (!isSameJson(valueOf(context, '$tool'), { name, parameters }))
		return 'n8n does not show the call that it would run';
	if (isExpanded(gated, parameters))
		return 'The model wrote {{, or $ before a mark or at the end. Some tools read this as more than a text';
	const asked = asksOf(gated);
	const isPlain = isPlainNode(context, gated);
	const asksForValues = asked.length > 0 || isPlain;
	const hasOwnArguments = !isPlain && !(asked.length > 0 && isWorkflowToolWithFields(gated));
	// n8n runs the tool with a text, or with nothing, as its `input`.
	const isInput = isText || (parameters === undefined && Object.hasOwn(own, 'input'));
	if (asksForValues && isInput) return TAKEN_FOR_CALL;
	const works = [gated, ...nodesBelow(context, gated.name)];
	const ofValues = (): string | undefined =>
		ofValuesAskedFor(gated, asked, said) ??
		(isOwnTool(context.getNode(), gated) ? undefined : ofSameName(works, own, said));
	const ofArguments = async (): Promise<string | undefined> =>
		ofOwnArguments(own, said) ??
		(await ofSchema(context, gated, name, isText ? { input: parameters } : said, ofAgent));
	const another =
		(asksForValues ? ofValues() : undefined) ?? (hasOwnArguments ? await ofArguments() : undefined);
	if (another !== undefined) return another;
	const isPaired = isPairedByChance || run > 0 || agent.calls.length > 1;
	const looksBeyond = ({ type, parameters }: INode): boolean =>
		!looksOnlyAtAgentItem(parameters, !HAS_KNOWN_FIELDS.test(type));
	if (isPaired && works.some(looksBeyond))
		return "The tool, or a node below it, may look at more than $json, and n8n could give it the value of another item. Put the value into the agent's item, and take it by $json";
	return works.some(({ parameters }) =>
		looksAtOneOfSeveral(context, parameters, isPaired ? agent.name : undefined),
	)
		? 'The tool looks at a node with several items or outputs, and n8n could give it the value of another one'
		: undefined;
}
