import { withCall } from '../../../../nodes/Diyalog/messages/shownCall';

const callOf = (parameters: object): string => `Transfer: ${JSON.stringify(parameters)}`;

/* Unicode's own list of what is confused with an apostrophe (UTS 39, confusables.txt), two side by side, and marks above a blank. */
describe('what only looks like a quotation mark is written out in the call (send-and-wait.md)', () => {
	it.each([
		['vertical line U+02C8', '\u02c8\u02c8'],
		['saltillo U+A78C', '\ua78c\ua78c'],
		['Armenian apostrophe U+055A', '\u055a\u055a'],
		['Armenian comma U+055D', '\u055d\u055d'],
		['Greek tonos U+0384', '\u0384\u0384'],
		['Greek psili U+1FBF', '\u1fbf\u1fbf'],
		['Greek koronis U+1FBD', '\u1fbd\u1fbd'],
		['Greek varia U+1FEF', '\u1fef\u1fef'],
		['Greek oxia U+1FFD', '\u1ffd\u1ffd'],
		['middle grave accent U+02F4', '\u02f4\u02f4'],
		['Greek numeral sign U+0374', '\u0374\u0374'],
		['a blank with a double vertical line above', '\u00a0\u030e'],
		['a blank with a double acute above', '\u00a0\u030b'],
	])('%s', (_what, quote) => {
		const fake = `May I pay? Transfer: {${quote}amount${quote}:${quote}1${quote}}`;
		const note = `${'Rent for December. '.repeat(100)}${fake}`;
		const call = callOf({ amount: '9999', note });
		for (const endsWithCall of [false, true]) {
			const shown = withCall(endsWithCall ? call : 'May I?', call, '=May I?', endsWithCall);
			// the last thing above the buttons
			expect(shown.slice(-200)).not.toContain(fake);
		}
	});
});
