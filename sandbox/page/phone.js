'use strict';
// Everything a message or a webhook brings is set as text, never as markup.

const $ = (id) => document.getElementById(id);
const clock = (time) =>
	new Date(time).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
const shorten = (text) => (text.length > 36 ? `${text.slice(0, 35)}…` : text);
const isHttp = (address) => /^https?:\/\//i.test(address) && URL.canParse(address);
const myNumber = () => decodeURIComponent(location.hash.slice(1));

function element(tag, properties = {}, ...children) {
	const made = Object.assign(document.createElement(tag), properties);
	made.append(...children);
	return made;
}

/** Makes the list show these items, touching only what is new: focus and open details stay. */
function showList(list, items, keyOf, make, update = () => {}) {
	const present = new Map([...list.children].map((child) => [child.dataset.key, child]));
	items.forEach((item, index) => {
		const key = keyOf(item);
		const child = present.get(key) ?? make(item);
		present.delete(key);
		child.dataset.key = key;
		update(child, item);
		if (list.children[index] !== child) list.insertBefore(child, list.children[index] ?? null);
	});
	for (const gone of present.values()) gone.remove();
}

async function call(method, path, body = {}) {
	const headers = { 'content-type': 'application/json' };
	const response = await fetch(path, { method, headers, body: JSON.stringify(body) });
	const answer = await response.json();
	$('problem').hidden = response.ok;
	$('problem').textContent = response.ok ? '' : answer.error;
}

/* The phone */

function otpBubble({ message }) {
	const bubble = element('li', { className: 'bubble' });
	if (message.imageUrl) bubble.append(picture(message.imageUrl));
	bubble.append(element('p', { textContent: message.mokMessage, dir: 'auto' }), element('footer'));
	const buttons = (message.buttonsV2 ?? []).map((button, index) => choice(message, button, index));
	if (buttons.length > 0) bubble.append(element('div', { className: 'answers' }, ...buttons));
	return bubble;
}

function picture(address) {
	const refused = (why) => element('p', { className: 'note', textContent: `${why}: ${address}` });
	if (!isHttp(address)) return refused('Picture not shown, its address is not http(s)');
	const image = element('img', { alt: '', referrerPolicy: 'no-referrer' });
	image.addEventListener('error', () => image.replaceWith(refused('Picture cannot be loaded')));
	image.src = address;
	return image;
}

function choice(message, button, index) {
	const { title, payload } = button;
	if (button.type === 'postback') {
		const press = { messageId: message.messageId, id: message.id, button: index };
		const onclick = () => call('POST', '/sandbox/press', press);
		return element('button', { type: 'button', textContent: title, onclick });
	}
	if (!isHttp(payload)) {
		return element('span', { textContent: `${title} (address is not http(s): ${payload})` });
	}
	const rel = 'noopener noreferrer';
	return element('a', { textContent: `${title} ↗`, href: payload, target: '_blank', rel });
}

function updateOtp(bubble, { message, at }) {
	const copy = message.copy > 1 ? `copy ${message.copy} · ` : '';
	const read = message.readAt ? ' · read' : '';
	bubble.querySelector('footer').textContent = `${copy}${message.botName} · ${clock(at)}${read}`;
	for (const index of message.presses) {
		bubble.querySelectorAll('.answers > *')[index].className = 'pressed';
	}
}

function answerBubble({ answer, at }) {
	const bubble = element('li', { className: 'bubble mine' });
	bubble.append(element('p', { textContent: answer.shown, dir: 'auto' }));
	const signed = { genuine: 'signed by the company app · ', forged: 'signature forged · ' };
	const footer = `${signed[answer.signature] ?? ''}${clock(at)}`;
	bubble.append(element('footer', { textContent: footer }));
	return bubble;
}

/** Whether the newest message is to stay in view; not while somebody reads older ones. */
let followsNewest = true;

function showNewest() {
	followsNewest = true;
	$('chat').scrollTop = $('chat').scrollHeight;
}

let shownPhone = '';

/** Moves the row of phones sideways, when another one is chosen or a badge changes the row's width. */
function showCurrentPhone() {
	const row = $('phones');
	const current = row.querySelector('[aria-current]');
	const shown = `${current?.dataset.key} ${row.scrollWidth}`;
	if (!current || shown === shownPhone) return;
	shownPhone = shown;
	const left = current.getBoundingClientRect().left - row.getBoundingClientRect().left;
	row.scrollLeft += left - (row.clientWidth - current.offsetWidth) / 2;
}

function showPhone({ customers, chat }) {
	showList(
		$('phones'),
		customers,
		(customer) => customer.customerNo,
		({ customerNo }) => element('a', { href: `#${encodeURIComponent(customerNo)}` }),
		(link, { customerNo, name, unread }) => {
			const badge = unread > 0 ? [' ', element('b', { textContent: unread, title: 'unread' })] : [];
			link.replaceChildren(name || customerNo, ...badge);
			if (customerNo === myNumber()) link.setAttribute('aria-current', 'page');
			else link.removeAttribute('aria-current');
		},
	);
	showCurrentPhone();
	const me = customers.find((customer) => customer.customerNo === myNumber());
	const name = me?.name || myNumber();
	$('chat-title').textContent = name;
	$('chat-sub').textContent = me ? `Customer ${me.customerNo}` : 'There is no such customer';
	$('chat-initials').textContent = [...name][0] ?? '';
	$('chat-customer').textContent = myNumber();
	$('chat-empty').hidden = chat.length > 0;
	$('chat').hidden = chat.length === 0;
	const { length } = $('chat').children;
	showList(
		$('chat'),
		chat,
		({ message, answer }) => (message ?? answer).id,
		(entry) => (entry.message ? otpBubble(entry) : answerBubble(entry)),
		(bubble, entry) => entry.message && updateOtp(bubble, entry),
	);
	// Diyalog's SDK hands mokValue to the company's app, which fills in its form.
	const code = chat.findLast(({ message }) => message?.mokValue)?.message.mokValue ?? '';
	$('filled').hidden = !code;
	$('filled-code').textContent = code;
	// After the bar, which takes room from the chat.
	if ($('chat').children.length !== length) showNewest();
	// A phone shows what it got as read only while somebody can see it.
	if (me?.unread && document.visibilityState === 'visible') {
		void call('POST', '/sandbox/read', { customerNo: me.customerNo });
	}
}

/* The panel */

function webhookCard(webhook) {
	const again = () => call('POST', `/sandbox/webhooks/${webhook.id}/resend`);
	const events = JSON.parse(webhook.body).entry.flatMap(({ messaging }) => messaging);
	const names = events.map(({ message, delivery, reads }) =>
		message ? `“${shorten(message.text)}”` : delivery ? 'delivered' : reads ? 'read' : 'sent',
	);
	return element(
		'li',
		{},
		element(
			'details',
			{},
			element(
				'summary',
				{},
				element('span', { className: 'status' }),
				element('span', { textContent: names.join(', ') }),
				element('time'),
			),
			element(
				'div',
				{ className: 'sent' },
				element('h3', {
					textContent: `POST ${webhook.url || '(no address)'} (one line, indented here)`,
				}),
				element('pre', {
					textContent: `X-Signature: ${webhook.signature}\n\n${indent(webhook.body)}`,
				}),
				element('h3', { textContent: 'Answer' }),
				element('pre', { className: 'answer' }),
				element('button', { className: 'small', textContent: 'Send again', onclick: again }),
			),
		),
	);
}

function updateWebhook(card, { status, answer, error, durationMs, sentAt }) {
	const pill = card.querySelector('.status');
	pill.textContent = status ?? (error ? 'failed' : '…');
	pill.classList.toggle('good', status >= 200 && status < 300);
	pill.classList.toggle('bad', Boolean(error) || status >= 300);
	const took = durationMs === undefined ? '' : ` · ${durationMs} ms`;
	card.querySelector('time').textContent = clock(sentAt) + took;
	const waiting = 'Waiting for the answer';
	card.querySelector('.answer').textContent =
		error ?? (status === undefined ? waiting : `${status}\n\n${answer}`);
}

/** Indents JSON without parsing it, because a 64-bit number would not survive that. */
function indent(json) {
	let depth = 0;
	const line = () => `\n${'  '.repeat(depth)}`;
	const string = '"(?:[^"\\\\]|\\\\.)*"';
	const innermost = `[{\\[](?:${string}|[^"{}[\\]])*[}\\]]`;
	return json.replace(new RegExp(`${innermost}|${string}|[{}[\\],:]`, 'g'), (token) => {
		if (token === '{' || token === '[') return (depth++, token + line());
		if (token === '}' || token === ']') return (depth--, line() + token);
		if (token === ',') return token + line();
		return token === ':' ? ': ' : token;
	});
}

function showPanel({ webhooks, waiting, bots }) {
	$('waiting').textContent = waiting === 1 ? '1 event is waiting' : `${waiting} events are waiting`;
	$('flush').disabled = waiting === 0;
	showList($('webhooks'), webhooks, ({ id }) => String(id), webhookCard, updateWebhook);
	showList($('bots'), bots, ({ name }) => name, botForm);
}

/* What was asked of the server before it took a change of the switches says how they were, and is not shown. */

let changesUnderWay = 0;
let changesSeen = 0;

function showSwitches({ faults }) {
	for (const input of $('faults').elements) {
		if (input.type === 'checkbox') input.checked = faults[input.name];
		else if (input !== document.activeElement) input.value = faults[input.name];
	}
}

async function changeSwitch(name, value) {
	changesUnderWay++;
	try {
		await call('PUT', '/sandbox/faults', { [name]: value });
	} finally {
		changesUnderWay--;
		changesSeen++;
		await refresh();
	}
}

function botForm({ name, webhookUrl }) {
	const input = element('input', { type: 'url', name: 'url', value: webhookUrl, required: true });
	input.setAttribute('aria-label', `Webhook address of ${name}`);
	const save = element('button', { className: 'small', textContent: 'Save' });
	const form = element('form', {}, element('b', { textContent: name }), input, save);
	form.addEventListener('submit', (event) => {
		event.preventDefault();
		const path = `/sandbox/bots/${encodeURIComponent(name)}/webhook`;
		void call('PUT', path, { url: input.value });
	});
	return form;
}

async function showOtps() {
	if ($('otps-tab').hidden) return;
	const query = new URLSearchParams(new FormData($('filter')));
	$('csv').href = `/sandbox/messages.csv?${query}`;
	const otps = await (await fetch(`/sandbox/messages?${query}`)).json();
	const cells = (otp) => [
		`${new Date(otp.deliveredAt).toLocaleDateString()} ${clock(otp.deliveredAt)}`,
		otp.customerNo,
		otp.txCode ?? '',
		otp.deviceId ?? '',
		otp.messageId + (otp.copy > 1 ? ` (copy ${otp.copy})` : ''),
		otp.readAt ? clock(otp.readAt) : '',
		otp.presses.map((index) => otp.buttonsV2[index].title).join(', '),
	];
	const heads = [...document.querySelectorAll('#otps-tab th')].map(
		({ textContent }) => textContent,
	);
	const cell = (text, index) => {
		const made = element('td', { textContent: text });
		made.dataset.head = heads[index];
		return made;
	};
	const row = (otp) => element('tr', {}, ...cells(otp).map(cell));
	$('otps').replaceChildren(...otps.reverse().map(row));
}

/* Keeping up */

let refreshing = false;
let changedMeanwhile = false;

async function refresh() {
	changedMeanwhile = true;
	if (refreshing) return;
	refreshing = true;
	try {
		while (changedMeanwhile) {
			changedMeanwhile = false;
			const query = new URLSearchParams({ customerNo: myNumber() });
			const changesBefore = changesSeen;
			const state = await (await fetch(`/sandbox/state?${query}`)).json();
			if (!myNumber() && state.customers[0]) location.hash = state.customers[0].customerNo;
			showPhone(state);
			showPanel(state);
			if (changesUnderWay === 0 && changesBefore === changesSeen) showSwitches(state);
			await showOtps();
		}
	} finally {
		refreshing = false;
	}
}

function selectTab(chosen) {
	for (const tab of $('tabs').children) {
		tab.setAttribute('aria-expanded', String(tab === chosen));
		$(tab.getAttribute('aria-controls')).hidden = tab !== chosen;
	}
	void showOtps();
}

function showLive(isLive) {
	$('live').textContent = isLive ? 'Live' : 'Not connected';
	$('live').classList.toggle('on', isLive);
}

for (const tab of $('tabs').children) tab.addEventListener('click', () => selectTab(tab));
$('flush').addEventListener('click', () => call('POST', '/sandbox/flush'));
$('filter').addEventListener('input', showOtps);
$('filter').addEventListener('submit', (event) => event.preventDefault());
$('faults').addEventListener('submit', (event) => event.preventDefault());
$('faults').addEventListener('change', ({ target }) => {
	const value = target.type === 'checkbox' ? target.checked : Number(target.value);
	void changeSwitch(target.name, value);
});
$('composer').addEventListener('submit', (event) => {
	event.preventDefault();
	const { text } = event.target.elements;
	void call('POST', '/sandbox/type', { customerNo: myNumber(), text: text.value });
	text.value = '';
});
$('chat').addEventListener('scroll', ({ target }) => {
	followsNewest = target.scrollHeight - target.scrollTop - target.clientHeight < 8;
});
// A picture has its height only once it is there; load events do not bubble.
$('chat').addEventListener('load', () => followsNewest && showNewest(), true);
$('chat').addEventListener('error', () => followsNewest && showNewest(), true);
addEventListener('hashchange', refresh);
document.addEventListener('visibilitychange', refresh);

const updates = new EventSource('/sandbox/events');
updates.onmessage = refresh;
updates.onopen = () => (showLive(true), refresh());
updates.onerror = () => showLive(false);
