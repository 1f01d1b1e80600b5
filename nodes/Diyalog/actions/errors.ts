import { NodeApiError, NodeOperationError } from 'n8n-workflow';
import type { IExecuteFunctions, INode } from 'n8n-workflow';
import type { Checked, InputProblem } from '../input/problem';
import { PERHAPS_DELIVERED } from '../transport/failures';
import type { Failure } from '../transport/failures';

/** An error keeps its node for as long as the execution is stored; a code or a text for a customer may stand in there. */
const withoutParameters = (node: INode): INode => ({ ...node, parameters: {} });

/**
 * Whether n8n goes on when the node throws, and passes the input on. Its engine heeds the setting of earlier releases also beside
 * an On Error that says otherwise; its helper does not.
 */
export const goesOnAfterErrors = (context: IExecuteFunctions): boolean =>
	context.continueOnFail() || context.getNode().continueOnFail === true;

/** The error for what no item is to blame for: what happened, and what to do. */
export const operationError = (node: INode, title: string, advice: string): NodeOperationError =>
	new NodeOperationError(withoutParameters(node), title, { description: advice });

/**
 * The error for input that cannot be sent: the field, what is wrong with it, the item, and what to enter instead.
 *
 * @param itemIndex the input item, counted from 0 as n8n does
 */
export function invalidInputError(
	node: INode,
	{ field, problem, advice }: InputProblem,
	itemIndex: number,
): NodeOperationError {
	return new NodeOperationError(
		withoutParameters(node),
		`${field} ${problem} [item ${itemIndex}]`,
		{
			description: `${advice} Nothing was sent for this item.`,
			itemIndex,
		},
	);
}

/**
 * What was found valid.
 *
 * @throws NodeOperationError for input that was not
 */
export function requireValid<T>(node: INode, checked: Checked<T>, itemIndex: number): T {
	if (checked.valid) return checked.input;
	throw invalidInputError(node, checked.problem, itemIndex);
}

/**
 * The error for an exchange with Diyalog that failed: what happened, what to do, the HTTP status and the item.
 * What the HTTP client threw is not kept as its cause: it holds the address, and with it the token.
 *
 * @param itemIndex the input item, counted from 0 as n8n does
 */
export function failureError(
	node: INode,
	{ title, advice, status, diyalogText, uncertain }: Failure,
	itemIndex: number,
): NodeApiError {
	const httpCode = status === undefined ? undefined : String(status);
	// The message of the error is all that a model and an error workflow see.
	const message = uncertain ? `${title}, and the message may have been delivered` : title;
	const sentences = [advice];
	if (uncertain) sentences.push(PERHAPS_DELIVERED);
	if (diyalogText !== undefined) sentences.push(`Diyalog said: "${diyalogText}".`);
	const description = sentences.join(' ');
	return new NodeApiError(
		withoutParameters(node),
		{},
		{ message, description, itemIndex, httpCode },
	);
}

/**
 * Anything thrown while an item was worked on, as an error of the node. Errors of this package pass as they are;
 * others, such as that of an expression, keep their message and gain the item.
 */
export function asNodeError(
	node: INode,
	thrown: unknown,
	itemIndex: number,
): NodeApiError | NodeOperationError {
	if (thrown instanceof NodeApiError || thrown instanceof NodeOperationError) return thrown;
	const error = thrown instanceof Error ? thrown : new Error('The node failed unexpectedly');
	return new NodeOperationError(withoutParameters(node), error, { itemIndex });
}

/** An error as one text for an output item: what happened, then what to do. */
export function errorText(error: NodeApiError | NodeOperationError): string {
	return error.description ? `${error.message}. ${error.description}` : error.message;
}
