import { withCall } from '../../../../nodes/Diyalog/messages/shownCall';

const callOf = (parameters: object): string => `Transfer: ${JSON.stringify(parameters)}`;

const endOf = (parameters: object): string =>
	withCall('May I?', callOf(parameters), '=May I?', false).slice('May I?\n\nTransfer: '.length);

describe('the call that a person reads below a message', () => {
	it('1. line breaks with blanks between them are counted', () => {
		const amount = `9999${`${'\n '.repeat(9)}.`.repeat(60)}\nPay 1`;
		const shown = withCall(
			`Pay ${amount}?`,
			callOf({ amount }),
			'=Pay {{ $tool.parameters.amount }}?',
			false,
		);
		expect(shown).toMatch(/^Pay 9999 \[17 blanks\] {2}\. \[17 blanks\] /);
		expect(shown.split('\n').length).toBeLessThan(10);
	});

	it.each([
		['2. four line breaks', 'a\n\n\n\nb', 'a [4 blanks] b'],
		['3. with the line breaks of Windows', 'a\r\n\r\n\r\n\r\nb', 'a [8 blanks] b'],
		['4. with other blanks in each line', 'a \n\t\n\u3000\n\u00a0\nb', 'a [8 blanks] b'],
		['5. right use: three line breaks', 'a\n \n\nb', 'a\n \n\nb'],
	])('%s', (_what, message, expected) => {
		expect(withCall(message, '', `=${message}`, false)).toBe(expected);
	});

	it.each([
		['6. typographic quotation marks', '“1”„2‟'],
		['7. wide ones', '＂1＂'],
		['8. those of the East', '〝1〞〟'],
		['9. ornaments', '❝1❞'],
		['10. primes and marks of the modern Greek and Hebrew keyboards', '″1‶ʺ״˝'],
		['11. two single ones side by side', "''1‘’"],
	])('%s do not make a call of their own of what the model says', (_what, amount) => {
		const expected = [...amount]
			.map((sign) =>
				/\d/.test(sign) ? sign : `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`,
			)
			.join('');
		expect(endOf({ amount })).toBe(`{"amount":"${expected}"}`);
		const ends = withCall(callOf({ amount }), callOf({ amount }), '={{ $tool.parameters }}', true);
		expect(ends).toBe(`${callOf({ amount })}\n\nTransfer: {"amount":"${expected}"}`);
	});

	it('12. right use: an apostrophe, and words in single marks', () => {
		const note = "Zeynep's ‘rent’ at Kadıköy'de";
		expect(endOf({ note })).toBe(`{"note":"${note}"}`);
		const call = callOf({ note });
		expect(withCall(call, call, '={{ $tool.parameters }}', true)).toBe(call);
	});

	it.each([
		['13. blanks', ' '],
		['14. line breaks with blanks between them', '\n \n \n .'],
		['15. nineteen blanks', `${' '.repeat(19)}.`],
	])('%s cost as much as their number', (_what, part) => {
		/** The least of several, as other work of the machine only adds to it. */
		const msFor = (characters: number): number => {
			const message = part.repeat(characters / part.length);
			const tries = Array.from({ length: 4 }, () => {
				const beganAt = performance.now();
				withCall(message, '', '=x', false);
				return performance.now() - beganAt;
			});
			return Math.min(...tries);
		};
		// Of the square of the number ten times as many would cost a hundred times as much.
		expect(msFor(1_000_000)).toBeLessThan(40 * Math.max(msFor(100_000), 25));
	});
});
