import { checkQuestion } from '../../../support/entered';

const choices = (...titles: string[]) => ({
	choice: titles.map((title) => ({ title, value: '' })),
});

const NO_REPLIES = { decidedReply: '', wrongReply: '' };

describe('what is planned', () => {
	it('an approval by itself: two buttons, five minutes', () => {
		const checked = checkQuestion({ responseType: 'approval' }, {});
		expect(checked).toEqual({
			valid: true,
			input: {
				response: {
					kind: 'button',
					requireSignedPayload: false,
					leavesTextOut: false,
					buttons: [
						{ payload: 'approve', title: 'Approve', decision: 'approved', value: 'approve' },
						{ payload: 'decline', title: 'Decline', decision: 'declined', value: 'decline' },
					],
				},
				limit: { limitType: 'afterTimeInterval', resumeAmount: 5, resumeUnit: 'minutes' },
				replies: NO_REPLIES,
				messageIdPrefix: '',
			},
		});
	});

	it('a delivery: no button, half a minute, or as long as is set', () => {
		const planned = (options: object) => {
			const checked = checkQuestion({ responseType: 'delivery', answerBy: 'link' }, options);
			return checked.valid ? checked.input : checked.problem;
		};
		const limit = { limitType: 'afterTimeInterval', resumeAmount: 30, resumeUnit: 'seconds' };
		const response = { kind: 'receipt' };
		expect(planned({})).toEqual({ response, limit, replies: NO_REPLIES, messageIdPrefix: '' });
		const values = { ...limit, resumeAmount: 20 };
		expect(planned({ limitWaitTime: { values } })).toMatchObject({ response, limit: values });
	});

	it.each([null, undefined, ''])(
		'a text that may be empty is none, where an expression gives %j',
		(nothing) => {
			const checked = checkQuestion(
				{
					responseType: 'approval',
					approvalOptions: { values: { approveLabel: nothing, disapproveLabel: nothing } },
				},
				{ messageIdPrefix: nothing, decidedReply: nothing, wrongReply: nothing },
			);
			expect(checked).toMatchObject({
				valid: true,
				input: {
					response: { buttons: [{ title: 'Approve' }, { title: 'Decline' }] },
					replies: NO_REPLIES,
					messageIdPrefix: '',
				},
			});
		},
	);

	it('a text that is a list is refused, and the error says what to look at', () => {
		expect(checkQuestion({ responseType: 'approval' }, { decidedReply: ['a'] })).toEqual({
			valid: false,
			problem: {
				field: 'Reply When Decided',
				problem: 'is not a text',
				advice: 'Check the expression: it has to give a text, not a list or an object.',
			},
		});
	});

	it('one button only, with a label; an emptied label is the usual word', () => {
		const planned = (approvalOptions: object) => {
			const checked = checkQuestion({ responseType: 'approval', approvalOptions }, {});
			if (!checked.valid || checked.input.response.kind !== 'button') throw new Error('not valid');
			return checked.input.response.buttons.map(({ title }) => title);
		};
		expect(planned({ values: { approvalType: 'single', approveLabel: 'Onayla' } })).toEqual([
			'Onayla',
		]);
		expect(planned({ values: { approveLabel: ' ', disapproveLabel: '' } })).toEqual([
			'Approve',
			'Decline',
		]);
	});
});

describe("It Wasn't Me", () => {
	const planned = (values: object) => {
		const approvalOptions = { values };
		const checked = checkQuestion({ responseType: 'approval', approvalOptions }, {});
		if (!checked.valid || checked.input.response.kind !== 'button') throw new Error('not valid');
		return checked.input.response.buttons;
	};
	const report = { payload: 'report', decision: 'reported', value: 'report' };

	it('is one button more, the last, with words of its own', () => {
		expect(planned({ offerReport: true })).toEqual([
			{ payload: 'approve', title: 'Approve', decision: 'approved', value: 'approve' },
			{ payload: 'decline', title: 'Decline', decision: 'declined', value: 'decline' },
			{ ...report, title: "It Wasn't Me" },
		]);
		expect(planned({ offerReport: true, reportLabel: 'Ben değilim' })).toContainEqual({
			...report,
			title: 'Ben değilim',
		});
		expect(planned({ offerReport: true, reportLabel: ' ' })).toHaveLength(3);
	});

	it('stands beside Approve Only as well', () => {
		const buttons = planned({ approvalType: 'single', offerReport: true });
		expect(buttons.map(({ payload }) => payload)).toEqual(['approve', 'report']);
	});

	it('is off unless it is turned on; words for it change nothing', () => {
		expect(planned({ reportLabel: 'Approve' })).toHaveLength(2);
		expect(planned({ offerReport: false, reportLabel: 'Decline' })).toHaveLength(2);
	});
});

describe('what is refused, by the name of the field', () => {
	const approval = { responseType: 'approval' };
	const code = (expectedCode: unknown) => ({ responseType: 'code', expectedCode });
	it.each<[string, object, object, string]>([
		['one choice', { responseType: 'choice', choices: choices('a') }, {}, 'Choices has 1 choices'],
		[
			'eleven choices',
			{ responseType: 'choice', choices: choices(...'abcdefghijk') },
			{},
			'Choices has 11 choices, and a phone shows 3 of them',
		],
		['no choices', { responseType: 'choice' }, {}, 'Choices has 0 choices'],
		[
			'the same value twice',
			{ responseType: 'choice', choices: choices('a', 'a') },
			{},
			'Choices has the same value twice',
		],
		[
			'a choice without words',
			{ responseType: 'choice', choices: choices('a', ' ') },
			{},
			'Choice 2: Title is empty',
		],
		['a code of letters', code('abcd'), {}, 'Expected Code is not a number of 2 to 10 digits'],
		['a code of one digit', code('7'), {}, 'Expected Code is not a number of 2 to 10 digits'],
		['no code', code(''), {}, 'Expected Code is not a number of 2 to 10 digits'],
		[
			'an unknown type',
			{ responseType: 'x' },
			{},
			'Response Type has a value that is not possible',
		],
		[
			'a prefix with a bracket',
			approval,
			{ messageIdPrefix: 'a]:' },
			'Message ID Prefix holds other characters than letters, digits, _ and -',
		],
		[
			'no attempts',
			code('12'),
			{ maxAttempts: 0 },
			'Maximum Attempts has a value that is not possible',
		],
		[
			'a strange time',
			approval,
			{ limitWaitTime: { values: { limitType: 'never' } } },
			'Limit Type has a value that is not possible',
		],
	])('%s', (_what, response, options, sentence) => {
		const checked = checkQuestion(response, options);
		expect(checked.valid ? '' : `${checked.problem.field} ${checked.problem.problem}`).toBe(
			sentence,
		);
	});

	it('no problem repeats what was entered', () => {
		const checked = checkQuestion(code('geheim'), {});
		expect(JSON.stringify(checked)).not.toContain('geheim');
	});
});
