import type { INodeProperties } from 'n8n-workflow';
import type { Operation, Resource } from './operation';
import { send as sendMessage } from './message/send.operation';
import { sendAndWait as ask } from './message/sendAndWait.operation';
import { sendAppTrigger } from './message/sendAppTrigger.operation';
import { sendCarousel } from './message/sendCarousel.operation';
import { sendDocument } from './message/sendDocument.operation';
import { send } from './otp/send.operation';
import { sendAndWait } from './otp/sendAndWait.operation';
import { verify } from './otp/verify.operation';
import { verify as verifySigned } from './signedPayload/verify.operation';

/**
 * Everything the node can do. The editor's lists and the routing are both made from this, so they cannot differ. A human review
 * tool of n8n asks as the first resource does.
 */
export const resources: readonly Resource[] = [
	{
		name: 'Message',
		value: 'message',
		operations: [sendMessage, ask, sendAppTrigger, sendCarousel, sendDocument],
	},
	{ name: 'OTP', value: 'otp', operations: [send, sendAndWait, verify] },
	{ name: 'Signed Payload', value: 'signedPayload', operations: [verifySigned] },
];

const resourceField: INodeProperties = {
	displayName: 'Resource',
	name: 'resource',
	type: 'options',
	noDataExpression: true,
	options: resources.map(({ name, value }) => ({ name, value })),
	default: 'otp',
};

const operationField = ({
	value: resource,
	operations,
	operations: [{ value: firstOperation }],
}: Resource): INodeProperties => ({
	displayName: 'Operation',
	name: 'operation',
	type: 'options',
	noDataExpression: true,
	displayOptions: { show: { resource: [resource] } },
	options: operations.map(({ name, value, action, description }) => ({
		name,
		value,
		action,
		description,
	})),
	default: firstOperation,
});

const operationFields = ({ value: resource, operations }: Resource): INodeProperties[] =>
	operations.flatMap(({ value: operation, fields }) =>
		// n8n-workflow's updateDisplayOptions does the same by a deep merge, which took a seventh of the time that loading takes.
		fields.map((field) => ({
			...field,
			displayOptions: {
				...field.displayOptions,
				show: { ...field.displayOptions?.show, resource: [resource], operation: [operation] },
			},
		})),
	);

/** The fields of the whole node, in the order the editor shows them. */
export const properties: INodeProperties[] = [
	resourceField,
	...resources.map(operationField),
	...resources.flatMap(operationFields),
];

/** The operation behind a choice in the editor; undefined when there is none. */
export function findOperation(resource: string, operation: string): Operation | undefined {
	return resources
		.find(({ value }) => value === resource)
		?.operations.find(({ value }) => value === operation);
}
