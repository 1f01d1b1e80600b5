/*
 * The page behind a link in a message, for installations to which Diyalog cannot post. Opening it decides nothing: mail
 * and chat programs open links to look at them. Only its button, which posts a form, does.
 */

/** Parameter of a link that says which button it is; n8n signs it with the rest of the address. */
export const LINK_ANSWER_PARAMETER = 'answer';

const ESCAPES: Readonly<Record<string, string>> = {
	'&': '&amp;',
	'<': '&lt;',
	'>': '&gt;',
	'"': '&quot;',
	"'": '&#39;',
};

const escapeHtml = (text: string): string =>
	text.replace(/[&<>"']/g, (character) => ESCAPES[character] ?? character);

/** No script, nothing from elsewhere, not inside another page, and the form only posts to where it came from. */
export const PAGE_HEADERS: Readonly<Record<string, string>> = {
	'Content-Type': 'text/html; charset=utf-8',
	'Content-Security-Policy':
		"default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
	'Cache-Control': 'no-store',
	'Referrer-Policy': 'no-referrer',
	'X-Content-Type-Options': 'nosniff',
	'X-Robots-Tag': 'noindex',
};

const STYLE = `
	body { font: 18px/1.5 system-ui, sans-serif; margin: 0; min-height: 100vh; display: grid; place-items: center;
		background: #f4f5f7; color: #1d2433; }
	main { width: min(24rem, 100vw - 4rem); padding: 2rem; text-align: center; }
	button { font: inherit; width: 100%; padding: .8rem; border: 0; border-radius: .6rem; background: #1f5bd8;
		color: #fff; cursor: pointer; overflow-wrap: anywhere; }
	button:focus-visible { outline: 3px solid #9dbcff; }
	@media (prefers-color-scheme: dark) { body { background: #15181f; color: #e7eaf0; } }`;

const page = (content: string): string => `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Confirm</title><style>${STYLE}</style></head>
<body><main>${content}</main></body></html>
`;

/**
 * The page that asks once more.
 *
 * @param title the words on the button that was pressed in the message; shown as text whatever they hold
 */
export const confirmationPage = (title: string): string =>
	page(`<form method="post"><button type="submit">${escapeHtml(title)}</button></form>`);

/** What the person sees once the answer is taken. */
export const TAKEN_PAGE = page('<p>✓</p>');

/** What the person sees when nothing waits for this answer any more. */
export const OVER_PAGE = page('<p>✗</p><p>This link is no longer valid.</p>');

/** What the person sees while an answer to this question is taken, perhaps by an earlier press of the same button. */
export const HELD_PAGE = page('<p>…</p><p>An answer is being taken.</p>');

/** What the person sees of a call that does not come from the page as it is. */
export const NOTHING_PAGE = page('<p>✗</p><p>Nothing was confirmed. Please try again.</p>');
