import type { INode, INodeParameters, Workflow } from 'n8n-workflow';
import { workflowOf } from '../lib/workflow';
import type { Problem } from './settings';

/*
 * Nodes that would make the trigger forget what it has taken, or lose what it keeps. n8n saves the static data of a workflow as a whole:
 * a node that writes to them writes the trigger's back as they were before its call.
 */

/** How code reaches the static data of its workflow. */
const STATIC_DATA = 'getWorkflowStaticData';

/** In any field, as code or as an expression. Each call asks for all nodes, so nothing is put together for it. */
const namesStaticData = (value: unknown): boolean =>
	typeof value === 'string'
		? value.includes(STATIC_DATA)
		: typeof value === 'object' && value !== null && Object.values(value).some(namesStaticData);

/** It may write about that. */
const NOTE = 'n8n-nodes-base.stickyNote';

const OWN_WORKFLOW = 'Put that node into a workflow of its own.';

/** They run in the static data of the workflow that calls them, unless n8n has stored them as workflows. */
const SUB_WORKFLOWS = [
	'n8n-nodes-base.executeWorkflow',
	'@n8n/n8n-nodes-langchain.toolWorkflow',
	'@n8n/n8n-nodes-langchain.retrieverWorkflow',
];

const isExpression = (value: unknown): boolean =>
	typeof value === 'string' && value.startsWith('=');

/** Whether nobody can tell beforehand what a sub-workflow holds. */
const isUnknown = ({ source = 'database', workflowJson }: INodeParameters): boolean =>
	source === 'parameter' ? isExpression(workflowJson) : source !== 'database';

/** Units of n8n's Schedule Trigger of which it counts more than one by itself, and writes down where it is. */
const COUNTED_UNITS = ['hours', 'days', 'weeks', 'months'];

/** Whether the Schedule Trigger counts for a rule; "every 2 days" is no time by which a clock could start it. */
function isCounted(rule: unknown): boolean {
	const { field = 'days', ...more } = Object(rule) as Record<string, unknown>;
	const { [`${String(field)}Interval`]: interval = 1 } = more;
	if (isExpression(field) || isExpression(interval)) return true;
	if (field === 'minutes') return 60 % Number(interval) !== 0;
	return COUNTED_UNITS.includes(String(field)) && interval !== 1;
}

function countsIntervals({ rule }: INodeParameters): boolean {
	const { interval } = Object(rule) as { interval?: unknown };
	return isExpression(rule) || (Array.isArray(interval) && interval.some(isCounted));
}

/** What to do about a node that writes to the static data; undefined of all others. */
function adviceFor(
	{ type, typeVersion, parameters }: INode,
	{ nodeTypes }: Workflow,
): string | undefined {
	if (type === NOTE) return undefined;
	if (namesStaticData(parameters))
		return `Put the code with ${STATIC_DATA} into a sub-workflow that is stored in n8n.`;
	if (SUB_WORKFLOWS.includes(type) && isUnknown(parameters))
		return 'Store the sub-workflow in n8n, and choose Database as its Source.';
	if (type === 'n8n-nodes-base.emailReadImap') return OWN_WORKFLOW;
	if (type === 'n8n-nodes-base.scheduleTrigger' && countsIntervals(parameters))
		return `${OWN_WORKFLOW} Or let it start each hour, day, week or month, or by a cron expression.`;
	const isPolling = nodeTypes.getByNameAndVersion(type, typeVersion)?.poll !== undefined;
	return isPolling ? OWN_WORKFLOW : undefined;
}

/**
 * What would make the trigger forget, in its workflow. n8n activates only triggers that have changed (2.41), so each call asks as well.
 *
 * @param context of the activation, or of a call
 */
export function overwritingProblem(context: object): Problem | undefined {
	const workflow = workflowOf(context);
	if (!workflow) return undefined;
	for (const node of Object.values(workflow.nodes)) {
		const advice = node.disabled ? undefined : adviceFor(node, workflow);
		if (advice !== undefined)
			return {
				title: `The node ${node.name} writes to the static data of this workflow, and what the trigger keeps there would be lost`,
				advice: `${advice} Otherwise a call could be taken twice after a restart.`,
			};
	}
	return undefined;
}
