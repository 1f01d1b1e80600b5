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
		['16. modifier letters', '\u02c8\u02b9\u02ca\u02cb\u02f4\u0374\u07f4\u07f5'],
		['17. letters of other scripts', '\u16cc\u144a\u1425\u{16f51}\u{16f52}'],
		['18. letters of known scripts', '\ua78c\u05f2\u0674\ufe70\u4e37'],
		['19. accents without a letter', '\u0384\u1fbf\u1fbd\u1fef\u1ffd\u1ffe\xb4\uff07'],
		['20. signs of Armenian', '\u055a\u055d'],
		['21. marks above a blank, and above nothing', '\xa0\u030e\u030b'],
		['22. a pair of letters of Hebrew that is no part of a word', '\u05d9'],
	])('%s, side by side, do not make a call of their own of what the model says', (_what, signs) => {
		const twice = [...signs].map((sign) => sign.repeat(2)).join('');
		const expected = twice.replace(
			/[^]/g,
			(unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
		);
		expect(endOf({ amount: `1${twice}` })).toBe(`{"amount":"1${expected}"}`);
	});

	it('23. a mark of another script behind a letter, which a phone may show beside it', () => {
		expect(endOf({ amount: 'a\u0e48\u0e48 l\u0315\u0315' })).toBe(
			String.raw`{"amount":"a\u0e48\u0e48 l\u0315\u0315"}`,
		);
	});

	it.each([
		['24. Turkish', 'Çağrı Şükrü Işıl, İĞÜŞÖÇ – âîû…'],
		['25. Turkish as a Mac writes it', 'Çağrı İ'.normalize('NFD')],
		['26. other alphabets of Europe and around', 'Đặng Nguyễn Łódź Αθήνα Київ Հայ თბილისი Əli'],
		['27. Chinese, Japanese and Korean', '張三、李四 佐々木・スミスー 김철수 二〇二四年。'],
		['28. Hindi, Bengali, Tamil, Thai and Burmese', 'नमस्ते মুম্বাই தமிழ் ภาษาไทย မြန်မာ'],
		['29. currencies, figures and measures', '₺1.250,50 €5 $7 £9 ¥3 ₹4 120 m² 20° ½'],
		['30. single marks in names', 'Kadıköy’de Oʻktam O`g ‘rent’'],
	])('%s can be read', (_what, note) => {
		expect(endOf({ note })).toBe(`{"note":"${note}"}`);
		const call = callOf({ note });
		expect(withCall(call, call, '={{ $tool.parameters }}', true)).toBe(call);
	});

	it.each([
		['31. Arabic with its marks and figures', '\u0645\u064f\u062d\u0645\u062f \u0661\u0662'],
		[
			'32. Hebrew with its marks, and two of the letter in a word',
			'\u05d7\u05d9\u05b4\u05d9\u05dd',
		],
	])('%s can be read', (_what, note) => {
		expect(endOf({ note }).replaceAll('\u200e', '')).toBe(`{"note":"${note}"}`);
	});

	it.each(['\u200b', '\u202e', '\u200d'])(
		'33. the same sign as nobody sees in the call, in an expression of the author that shows nothing of it: %j',
		(sign) => {
			const entered = `=Pay {{ $json.name.replaceAll('${sign}${sign}', '') }}? {{ $tool.name }}: {{ $tool.parameters }}`;
			const call = callOf({ amount: `1${sign}0` });
			expect(withCall(`Pay Zeynep? ${call}`, call, entered, true)).not.toContain(sign);
		},
	);

	it('34. right use: what the author has written stays where none is in the call', () => {
		const call = callOf({ amount: '1' });
		const entered = '=👩\u200d💼 {{ $tool.name }}: {{ $tool.parameters }}';
		expect(withCall(`👩\u200d💼 ${call}`, call, entered, true)).toBe(`👩\u200d💼 ${call}`);
	});

	it('35. letters and marks that show nothing', () => {
		expect(endOf({ amount: '1\u115f\u1160\u3164\uffa0 \u1780\u17b4' })).toBe(
			`{"amount":"1${String.raw`\u115f\u1160\u3164\uffa0`} \u1780${String.raw`\u17b4`}"}`,
		);
	});

	it.each([
		['an apostrophe and a yod', "'\u05d9"],
		['a yod and an apostrophe', "\u05d9'"],
		['maqaf and two yods', '\u05be\u05d9\u05d9'],
		['geresh, which is written out, and two yods', '\u05f3\u05d9\u05d9'],
		['a point of Hebrew, which is written out, and two yods', '\u05b0\u05d9\u05d9'],
		['letters of Hebrew that are written out, and two yods', '\u05f2\u05d9\u05d9\u05f2'],
		['a plus sign of Hebrew and two yods', '\ufb29\u05d9\u05d9'],
		['yods, a mark of another script, and a letter', '\u05d9\u05d9\u0e48\u05d0'],
	])('36. %s in the place of a quotation mark', (_what, mark) => {
		const shown = endOf({ note: `x{${mark}amount${mark}:1}` });
		expect(shown.replaceAll('\u200e', '')).not.toMatch(/\u05d9/);
	});

	it.each([
		'\u010f',
		'\u013e',
		'\u013d',
		'\u0165',
		't\u030c',
		'\u0165\u0323',
		't\u0323\u030c',
		't\u031b',
		'\u01a1',
		'o\u031b',
	])('37. %s, which has an apostrophe of its own, and one more', (letter) => {
		const note = `amoun${letter}`;
		expect(endOf({ note: `${note}':1` })).toContain(String.raw`\u0027:1"}`);
	});

	it.each(['\u0386', '\u038f', '\u0391\u0301'])(
		'37b. %s, which has an apostrophe of its own before it, and one more',
		(letter) => {
			expect(endOf({ note: `'${letter}` })).toBe(String.raw`{"note":"\u0027${letter}"}`);
		},
	);

	it.each([
		['\u1f0b', String.raw`\u1f0b`],
		['\u1e9a', String.raw`\u1e9a`],
		['\u03d3', String.raw`\u03d3`],
		['t\u031b', String.raw`t\u031b`],
	])('37c. %s, a letter with a sign that looks like a mark', (letter, written) => {
		expect(endOf({ note: letter })).toBe(`{"note":"${written}"}`);
	});

	it('38. right use: yods in words, signs of Arabic amounts, and names of Vietnam', () => {
		const note =
			'\u05d9\u05b4\u05e9 \u05d9\u05d9\u05df \u05de\u05d9 \u0661\u066c\u0660\u0660\u0660\u066b\u0665 \u066a Ho\u031b\u0301';
		expect(endOf({ note }).replaceAll('\u200e', '')).toBe(`{"note":"${note}"}`);
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
