/** A text as the escapes that JSON (RFC 8259, section 7) and JavaScript share: each unit of UTF-16 as `\u` and four hex digits. */
export const escaped = (text: string): string =>
	text.replace(/[^]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
