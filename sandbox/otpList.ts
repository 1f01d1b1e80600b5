import { z } from 'zod';
import type { StoredMessage } from './diyalog';

/** What SendOTP's txCode and deviceId are for: finding OTPs again. Each is a part of the value. */
export const filterSchema = z.object({
	txCode: z.string().default(''),
	deviceId: z.string().default(''),
	customerNo: z.string().default(''),
	/** "otp" is what SendOTP sent. */
	kind: z.string().default(''),
});

export function filterMessages(
	messages: readonly StoredMessage[],
	filter: z.output<typeof filterSchema>,
): StoredMessage[] {
	return messages.filter(
		({ txCode = '', deviceId = '', customerNo = '', kind }) =>
			txCode.includes(filter.txCode) &&
			deviceId.includes(filter.deviceId) &&
			customerNo.includes(filter.customerNo) &&
			(filter.kind === '' || kind === filter.kind),
	);
}

/** The OTPs among the messages, without the codes themselves: the list is made to be passed on. */
export function otpsAsCsv(messages: readonly StoredMessage[]): string {
	const otps = messages.filter(({ kind }) => kind === 'otp');
	const rows = otps.map((message) => [
		iso(message.deliveredAt),
		message.botName,
		message.customerNo ?? '',
		message.messageId,
		message.id,
		String(message.copy),
		message.txCode ?? '',
		message.deviceId ?? '',
		iso(message.readAt),
		message.presses.map((index) => message.buttonsV2?.[index]?.title).join(' | '),
	]);
	const head =
		'deliveredAt,bot,customerNo,messageId,diyalogMessageId,copy,txCode,deviceId,readAt,pressed';
	const lines = [head, ...rows.map((row) => row.map(csvCell).join(','))];
	// The byte order mark makes Excel read Turkish letters as UTF-8.
	return `\uFEFF${lines.join('\r\n')}\r\n`;
}

/** A spreadsheet would run a cell that begins like a formula; only an apostrophe makes it text. */
function csvCell(text: string): string {
	const isFormula = /^[=+\-@\t\r\n＝＋－＠]/.test(text) && !/^-?\d+$/.test(text);
	return `"${(isFormula ? `'${text}` : text).replaceAll('"', '""')}"`;
}

function iso(time: number | undefined): string {
	return time === undefined ? '' : new Date(time).toISOString();
}
