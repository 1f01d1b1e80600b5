import type { IExecuteFunctions } from 'n8n-workflow';

/** Whether an AI agent runs the node as a tool of its own. Early releases of n8n 2 and before do not tell. */
export const isToolExecution = (context: IExecuteFunctions): boolean =>
	'isToolExecution' in context && context.isToolExecution();
