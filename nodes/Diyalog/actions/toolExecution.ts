import type { IExecuteFunctions, INode } from 'n8n-workflow';

/** The tool of an agent, plain or for human review. */
export const isTool = ({ type }: INode): boolean => type.endsWith('Tool');

/**
 * Whether an AI agent runs the node as a tool of its own, and not n8n as a node that it has taken off its stack. Early
 * releases of n8n 2 and before do not tell, but show it: what is executed there is the agent.
 */
export function isToolExecution(context: IExecuteFunctions): boolean {
	if ('isToolExecution' in context && context.isToolExecution()) return true;
	const { node, data } = context.getExecuteData();
	return node.name !== context.getNode().name || !Array.isArray(data.main);
}
