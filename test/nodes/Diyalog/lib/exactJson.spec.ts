import fc from 'fast-check';
import { jsonValue } from '../../../../nodes/Diyalog/input/json';
import { parseExactJson } from '../../../../nodes/Diyalog/lib/exactJson';

describe('parseExactJson', () => {
	it.each([
		['{"id":9007199254740993}', { id: '9007199254740993' }],
		['{"id":-7523925115459309081}', { id: '-7523925115459309081' }],
		['[ 9223372036854775807 ,1]', ['9223372036854775807', 1]],
		['9007199254740993', '9007199254740993'],
		['{"id":\n9007199254740993}', { id: '9007199254740993' }],
	])('keeps a long integer exact: %s', (text, expected) => {
		expect(parseExactJson(text)).toEqual(expected);
	});

	it.each([
		'{"time":1795388366730,"text":"9007199254740993"}',
		'{"max":9007199254740991,"long":[ 12345678901234567890.5 ]}',
		'{"exponent":[12345678901234567e3,-1.5E-7]}',
		'"a quote \\" and [12345678901234567]:1 behind it"',
		'{"text":"\\\\","id":1234567890123456}',
		'{"text":"[:12345678901234567"}',
	])('leaves everything else as JSON.parse reads it: %s', (text) => {
		expect(parseExactJson(text)).toEqual(JSON.parse(text));
	});

	it('reads any JSON like JSON.parse, but for the long integers', () => {
		fc.assert(
			fc.property(fc.json(), (text) => {
				const quoted = JSON.stringify(text);
				expect(parseExactJson(quoted)).toBe(text);
				expect(parseExactJson(`[${quoted},12345678901234567890]`)).toEqual([
					text,
					'12345678901234567890',
				]);
			}),
		);
	});

	it.each(['', '{', '{"a":12345678901234567,}', '[12345678901234567', 'nul'])(
		'refuses what is not JSON: %s',
		(text) => {
			expect(() => parseExactJson(text)).toThrow(SyntaxError);
		},
	);

	it('does not slow down on a hostile body of a megabyte', () => {
		const quotes = `"${'\\"'.repeat(500_000)}`;
		expect(() => parseExactJson(`[12345678901234567,${quotes}`)).toThrow(SyntaxError);
	});

	it('reads a text of four million escapes like any other', () => {
		const json = `{"text":"${'\\n'.repeat(4_000_000)}","id":[12345678901234567890]}`;
		const expected = { text: '\n'.repeat(4_000_000), id: ['12345678901234567890'] };
		expect(parseExactJson(json)).toEqual(expected);
		expect(jsonValue().parse(json)).toEqual(expected);
	});
});
