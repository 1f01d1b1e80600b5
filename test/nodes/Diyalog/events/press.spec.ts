import fc from 'fast-check';
import { parsePress } from '../../../../nodes/Diyalog/events/press';

describe('parsePress', () => {
	it.each([
		['[messageId-92]:Approve', 'messageId-92', 'Approve'],
		['[a]:', 'a', ''],
		['[a]:b:c]:d', 'a', 'b:c]:d'],
		['[a:b]:c', 'a:b', 'c'],
		['[a]b]:c', 'a]b', 'c'],
		['[a]:line one\nline two', 'a', 'line one\nline two'],
		['[a]:{"amount":"1.250,00 ₺","to":"Şükrü"}', 'a', '{"amount":"1.250,00 ₺","to":"Şükrü"}'],
		['[[a]:🎉', '[a', '🎉'],
	])('reads %j', (text, messageId, payload) => {
		expect(parsePress(text)).toEqual({ messageId, payload });
	});

	it.each(['', 'Approve', '[]:Approve', ' [a]:b', '[a] :b', '[a]', ']:b', '[', 'a]:b', '[a:b]'])(
		'takes %j for typed text',
		(text) => {
			expect(parsePress(text)).toBeUndefined();
		},
	);

	it('gives back any id without "]:" and any payload', () => {
		const ids = fc.string({ minLength: 1 }).filter((id) => !`${id}]:`.slice(0, -1).includes(']:'));
		fc.assert(
			fc.property(ids, fc.string({ unit: 'binary' }), (messageId, payload) => {
				fc.pre(!messageId.endsWith(']') || !payload.startsWith(':'));
				expect(parsePress(`[${messageId}]:${payload}`)).toEqual({ messageId, payload });
			}),
		);
	});
});
