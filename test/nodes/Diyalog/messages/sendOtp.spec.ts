import { quickRepliesSchema } from '../../../../nodes/Diyalog/messages/quickReplies';
import { parseMessageResponse } from '../../../../nodes/Diyalog/messages/response';
import { toSendOtpBody } from '../../../../nodes/Diyalog/messages/sendOtp';
import { checkMessage } from '../../../support/entered';
import { documentedJson, documentedText } from '../../../support/fixtures';

const newMessageId = () => 'fresh-id';

function bodyOf(raw: object) {
	const checked = checkMessage(raw);
	if (!checked.valid) throw new Error(JSON.stringify(checked.problem));
	return toSendOtpBody(checked.input, newMessageId);
}

function problemOf(raw: object) {
	const checked = checkMessage(raw);
	if (checked.valid) throw new Error('This input should not have been accepted');
	return checked.problem;
}

const button = (fields: object) => ({
	buttons: { button: [{ type: 'postback', title: 'Approve', payload: 'approve', ...fields }] },
});

describe('the body of SendOTP', () => {
	it('is the documented example byte for byte, its layout aside', () => {
		const body = bodyOf({
			customerNo: 123456789,
			message: 'Your one time password is "123456" ',
			otpMode: 'given',
			otpValue: '33',
			options: {
				messageId: 'messageId-74',
				deviceId: '628FAF5A-B690-4E1A-A0EC-1518A6334F0B',
				imageUrl: 'https://dlgmessenger.com/otp.jpg',
				txCode: 'LOG2',
			},
			buttons: {
				button: [
					{
						payloadSeenByUser: 'Onaylıyorum',
						payloadHidden: true,
						payload: '123456',
						title: 'Approve',
						type: 'postback',
					},
					{
						type: 'postback',
						title: 'Dismiss',
						payload: 'cancelled',
						payloadHidden: false,
						payloadSeenByUser: 'İptal Edildi',
					},
				],
			},
		});
		expect(JSON.stringify(body)).toBe(JSON.stringify(documentedJson('sendotp-request.json')));
	});

	it('leaves empty optional fields out', () => {
		const body = bodyOf({
			otpValue: '',
			options: { messageId: '', imageUrl: '', txCode: '', deviceId: '' },
			buttons: {},
		});
		expect(JSON.stringify(body)).toBe(
			'{"customerNo":"70021","messageId":"fresh-id","mokMessage":"Hello"}',
		);
	});

	it.each([
		[undefined, 'Approve'],
		['', 'Approve'],
		['Approved', 'Approved'],
	])('shows after a press the words meant for people, %j as %j', (payloadSeenByUser, shown) => {
		const fields = { payload: 'txn-17/ok', payloadSeenByUser };
		expect(bodyOf(button(fields)).buttonsV2).toMatchObject([{ payloadSeenByUser: shown }]);
		const replies = { quickReply: [{ title: 'Approve', payload: 'txn-17/ok', payloadSeenByUser }] };
		expect(quickRepliesSchema().parse(replies)).toMatchObject([{ payloadSeenByUser: shown }]);
	});

	it('sends of a web page button only what applies to it', () => {
		const fields = {
			type: 'web_url',
			payload: 'https://www.example.com/a?b=c',
			payloadHidden: true,
		};
		expect(bodyOf(button({ ...fields, payloadSeenByUser: 'seen' })).buttonsV2).toEqual([
			{ type: 'web_url', title: 'Approve', payload: 'https://www.example.com/a?b=c' },
		]);
	});

	it.each([
		[70021, '70021'],
		[0, '0'],
		[Number.MAX_SAFE_INTEGER, '9007199254740991'],
		[' 70021 ', '70021'],
		['9007199254740993', '9007199254740993'],
		['00070021', '00070021'],
	])('takes the customer number %p as %s', (customerNo, expected) => {
		expect(bodyOf({ customerNo }).customerNo).toBe(expected);
	});

	it('keeps text to the letter', () => {
		const message = ' Şifreniz: 123456\n"ğüşiöç" 🎉 ';
		expect(bodyOf({ message }).mokMessage).toBe(message);
	});
});

describe('input that cannot be sent', () => {
	it.each([
		['Customer Number', 'is empty', { customerNo: '' }],
		['Customer Number', 'is empty', { customerNo: '   ' }],
		['Customer Number', 'is empty', { customerNo: undefined }],
		['Customer Number', 'is empty', { customerNo: null }],
		['Customer Number', 'is a number too large to be exact', { customerNo: 2 ** 53 }],
		['Customer Number', 'is a number too large to be exact', { customerNo: 1e21 }],
		['Customer Number', 'is not a whole number', { customerNo: 70021.5 }],
		['Customer Number', 'is not a whole number', { customerNo: -1 }],
		['Customer Number', 'is not a whole number', { customerNo: Number.NaN }],
		['Customer Number', 'is neither a text nor a number', { customerNo: { id: 1 } }],
		['Message', 'is empty', { message: ' \n' }],
		['Message', 'is not a text', { message: ['a'] }],
		[
			'Message',
			'has an object where the customer should read a text',
			{ message: `Approve ${String({ amount: 250 })}?` },
		],
		['Message ID', 'contains "]:"', { options: { messageId: 'a]:b' } }],
		['Message ID', 'is neither a text nor a number', { options: { messageId: {} } }],
		['Image URL', 'is not a web address', { options: { imageUrl: 'logo.png' } }],
		['Image URL', 'is not a web address', { options: { imageUrl: 'file:///etc/passwd' } }],
		['Image URL', 'is not a web address', { options: { imageUrl: 'https://' } }],
		['Image URL', 'is not a web address', { options: { imageUrl: 'https://u:p@a.example' } }],
		['Button 1: Title', 'is empty', button({ title: '  ' })],
		['Button 1: Payload', 'is empty', button({ payload: '' })],
		['Button 1: Address', 'is empty', button({ type: 'web_url', payload: '' })],
		[
			'Button 1: Address',
			'is not a web address',
			button({ type: 'web_url', payload: 'example.com' }),
		],
		[
			'Button 1: Address',
			'is not a web address',
			button({ type: 'web_url', payload: 'javascript:alert(1)' }),
		],
		['Button 1: Type', 'has a value that is not possible', button({ type: 'phone' })],
	])('%s %s', (field, problem, raw) => {
		expect(problemOf(raw)).toMatchObject({ field, problem });
		expect(problemOf(raw).advice).toMatch(/^[A-Z].*[.)]$/);
	});

	it('names the button that is wrong, not its neighbours', () => {
		const buttons = {
			button: [
				{ type: 'postback', title: 'Approve', payload: 'approve' },
				{ type: 'postback', title: '', payload: 'dismiss' },
			],
		};
		expect(problemOf({ buttons }).field).toBe('Button 2: Title');
	});

	it('never repeats the value, which may be a code or a customer', () => {
		const problem = problemOf({ message: 'Code 481516', customerNo: { secret: 'no-4711' } });
		expect(JSON.stringify(problem)).not.toMatch(/481516|4711/);
	});
});

describe("Diyalog's response", () => {
	it('is read as documented, both ids as text', () => {
		expect(parseMessageResponse(documentedText('sendotp-response.json'))).toEqual({
			userId: '2074022437',
			diyalogMessageId: '-7523925115459309081',
		});
	});

	it('keeps ids exact that come as numbers', () => {
		const text = '{"recipient_id":2074022437,"message_id":-7523925115459309081,"more":true}';
		expect(parseMessageResponse(text)).toEqual({
			userId: '2074022437',
			diyalogMessageId: '-7523925115459309081',
		});
	});

	it.each([
		'',
		'OK',
		'{}',
		'[]',
		'null',
		'{"recipient_id":"1"}',
		'<html></html>',
		'{"recipient_id":"","message_id":"1"}',
	])('is not taken from %p', (text) => {
		expect(parseMessageResponse(text)).toBeUndefined();
	});
});
