import { carouselSchema, sendSchema } from '../../../../nodes/Diyalog/messages/messageInput';

const ENTERED = { recipientType: 'customer', customerNo: '1', message: 'x', options: {} };

/** Nine seconds for n8n, where a webhook's 16 MB make eight titles of it. */
const LONG = `{${'é'.repeat(200)}}`.repeat(50);

const problemOf = (entered: object, schema = sendSchema(entered as never)) =>
	schema.safeParse({ ...ENTERED, ...entered }).error?.issues[0]?.message;

describe('words so long that n8n would be held up', () => {
	it.each([
		['1 on a button', { below: 'buttons', buttonsJson: [{ title: LONG, value: 'a' }] }],
		['2 on a quick reply', { below: 'quickReplies', quickRepliesJson: [{ title: LONG }] }],
	])('%s', (_, entered) => {
		expect(problemOf(entered)).toBe('is longer than 10000 characters');
	});

	it('3 on a card', () => {
		const entered = { cardsJson: [{ title: 'a', subtitle: LONG }] };
		expect(problemOf(entered, carouselSchema())).toBe('is longer than 10000 characters');
	});
});
