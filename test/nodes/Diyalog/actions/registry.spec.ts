import { NodeHelpers } from 'n8n-workflow';
import type { INodeProperties, INodePropertyOptions } from 'n8n-workflow';
import { findOperation, properties, resources } from '../../../../nodes/Diyalog/actions';

const valuesOf = (property: INodeProperties | undefined): string[] =>
	(property?.options ?? []).map((option) => String((option as INodePropertyOptions).value));

const fieldNamed = (name: string, resource?: string): INodeProperties | undefined =>
	properties.find(
		(property) =>
			property.name === name &&
			(resource === undefined || property.displayOptions?.show?.resource?.includes(resource)),
	);

it('every choice of the editor leads to an operation, and every operation can be chosen', () => {
	const routed = resources.flatMap(({ value, operations }) =>
		operations.map((operation) => `${value}.${operation.value}`),
	);
	const offered = valuesOf(fieldNamed('resource')).flatMap((resource) =>
		valuesOf(fieldNamed('operation', resource)).map((operation) => `${resource}.${operation}`),
	);
	expect(offered).toEqual(routed);
	for (const choice of offered) {
		const [resource = '', operation = ''] = choice.split('.');
		expect(findOperation(resource, operation)).toHaveProperty('value', operation);
	}
});

it('every default is a choice that exists', () => {
	for (const property of properties.filter(({ type }) => type === 'options')) {
		expect(valuesOf(property)).toContain(property.default);
	}
});

it('no two fields of one operation have the same name', () => {
	for (const { value: resource, operations } of resources) {
		for (const { value: operation } of operations) {
			const names = properties
				.filter((property) =>
					NodeHelpers.displayParameter({ resource, operation }, property, { typeVersion: 1 }, null),
				)
				.map(({ name }) => name);
			expect(names).toEqual([...new Set(names)]);
			expect(names).toContain('operation');
		}
	}
});

it('shows of a button only what applies to its type', () => {
	const buttons = fieldNamed('buttons')?.options?.[0];
	if (!buttons || !('values' in buttons)) throw new Error('There is no field for buttons');
	const shown = (type: string) =>
		buttons.values
			.filter((field) => NodeHelpers.displayParameter({ type }, field, { typeVersion: 1 }, null))
			.map(({ displayName }) => displayName);
	expect(shown('postback')).toEqual([
		'Type',
		'Title',
		'Payload',
		'Sign Payload on the Device',
		'Shown When Pressed',
	]);
	expect(shown('web_url')).toEqual(['Type', 'Title', 'Address']);
});
