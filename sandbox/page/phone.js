'use strict';
// Everything a message or a webhook brings is set as text, never as markup.

const $ = (id) => document.getElementById(id);
const clock = (time) =>
	new Date(time).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
const shorten = (text) => (text.length > 36 ? `${text.slice(0, 35)}…` : text);
const isHttp = (address) => /^https?:\/\//i.test(address) && URL.canParse(address);

/** A phone's address: "#70021" is a customer's, "#employee:E100" an employee's. */
const EMPLOYEE = 'employee:';
const myAddress = () => decodeURIComponent(location.hash.slice(1));
const addressOf = ({ customerNo, employeeNo }) => customerNo ?? EMPLOYEE + employeeNo;
const roleOf = ({ customerNo, employeeNo }) =>
	customerNo === undefined ? `employee ${employeeNo}` : `customer ${customerNo}`;
const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

function whoIAm() {
	const address = myAddress();
	if (!address.startsWith(EMPLOYEE)) return { customerNo: address };
	return { employeeNo: address.slice(EMPLOYEE.length) };
}

let drawnButtons = 3;
/** Whose phone is shown, as the server knows the person. */
let me;

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

const textOf = (text) => element('p', { textContent: text, dir: 'auto' });

function messageBubble({ message }) {
	const { imageUrl, buttonsV2, elements, document: file, trigger } = message;
	const text = message.mokMessage ?? message.text;
	const bubble = element('li', { className: `bubble ${message.kind}` });
	if (imageUrl) bubble.append(picture(imageUrl));
	if (text !== undefined) bubble.append(textOf(text));
	if (file) bubble.append(...documentParts(message.id, file));
	if (elements) bubble.append(cards(message));
	bubble.append(element('footer'));
	if (buttonsV2) bubble.append(...answersOf(message, buttonsV2, 0));
	if (trigger) bubble.append(...triggerParts(trigger));
	return bubble;
}

/** The buttons that a phone draws. `first` is the index that the press of the first one names. */
function answersOf(message, buttons, first) {
	const drawn = buttons
		.slice(0, drawnButtons)
		.map((button, index) => choice(message, button, first + index));
	return drawn.length > 0 ? [element('div', { className: 'answers' }, ...drawn)] : [];
}

function cards(message) {
	let first = 0;
	const made = message.elements.map(({ title, subtitle, imageUrl, buttonsV2 }, index) => {
		const card = element('div', { className: 'card', role: 'group' });
		card.setAttribute('aria-label', `Card ${index + 1} of ${message.elements.length}`);
		if (imageUrl) card.append(picture(imageUrl));
		if (title) card.append(element('b', { textContent: title, dir: 'auto' }));
		if (subtitle) card.append(textOf(subtitle));
		card.append(...answersOf(message, buttonsV2, first));
		first += buttonsV2.length;
		return card;
	});
	return element('div', { className: 'cards', tabIndex: 0 }, ...made);
}

const seconds = (duration) =>
	`${Math.floor(duration / 60)}:${String(duration % 60).padStart(2, '0')}`;
const units = [
	[1_000_000, 'MB'],
	[1_000, 'kB'],
];

function sizeOf(bytes) {
	const [divisor, unit] = units.find(([least]) => bytes >= least) ?? [1, 'bytes'];
	const figures = { maximumFractionDigits: divisor === 1_000_000 ? 1 : 0 };
	return `${(bytes / divisor).toLocaleString([], figures)} ${unit}`;
}

function documentParts(id, file) {
	const address = `/sandbox/documents/${encodeURIComponent(id)}`;
	const { photo, video, voice } = file;
	const link = fileLink(address, file);
	if (photo) {
		const { width, height } = photo;
		const image = element('img', { alt: file.fileName, src: address, width, height });
		const whole = { className: 'photo', href: address, target: '_blank', rel: 'noopener' };
		return [element('a', whole, image), link];
	}
	if (!video && !voice) return [link];
	const player = element(video ? 'video' : 'audio', { controls: true, preload: 'metadata' });
	if (video) player.style.aspectRatio = `${video.width || 16} / ${video.height || 9}`;
	player.setAttribute('aria-label', file.fileName);
	player.addEventListener('error', () => player.remove());
	player.src = address;
	return [player, link];
}

/** A file as chats show it: what it is, its name, its size, and a tap opens it. */
function fileLink(address, { fileName, mimeType, size, video, voice }) {
	const duration = (video ?? voice)?.duration;
	const icon = /\.(\w{1,4})$/.exec(fileName)?.[1].toUpperCase() ?? 'FILE';
	const details = [sizeOf(size), mimeType, duration !== undefined && seconds(duration)];
	const small = element('small', { textContent: details.filter(Boolean).join(' · ') });
	const name = element('b', { textContent: fileName, dir: 'auto' });
	return element(
		'a',
		{ className: 'file', href: address, download: fileName },
		element('span', { className: 'icon', textContent: icon, ariaHidden: 'true' }),
		element('span', {}, name, small),
	);
}

/** A tap fires the trigger inside the company's app, which is not here: the phone says what it would get. */
function triggerParts({ command, data }) {
	const says = element('p', { className: 'note', role: 'status', hidden: true });
	says.append('The company app gets command ', element('code', { textContent: command }));
	if (data === '') says.append(' without data');
	else says.append(' with data ', element('code', { textContent: data }));
	const onclick = () => {
		says.hidden = !says.hidden;
		if (followsNewest) showNewest();
	};
	const open = { type: 'button', textContent: 'Open in the company app', onclick };
	return [says, element('div', { className: 'answers' }, element('button', open))];
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
		const made = element('button', { type: 'button', textContent: title, onclick });
		made.dataset.index = index;
		return made;
	}
	if (!isHttp(payload)) {
		return element('span', { textContent: `${title} (address is not http(s): ${payload})` });
	}
	const rel = 'noopener noreferrer';
	return element('a', { textContent: `${title} ↗`, href: payload, target: '_blank', rel });
}

function updateMessage(bubble, { message, at }) {
	const copy = message.copy > 1 ? `copy ${message.copy} · ` : '';
	const read = message.readAt ? ' · read' : '';
	bubble.querySelector('footer').textContent = `${copy}${message.botName} · ${clock(at)}${read}`;
	for (const index of message.presses) {
		bubble.querySelector(`.answers [data-index="${index}"]`)?.classList.add('pressed');
	}
}

function answerBubble({ answer }) {
	const bubble = element('li', { className: 'bubble mine' });
	bubble.append(element('p', { textContent: answer.shown, dir: 'auto' }));
	bubble.append(element('footer'));
	bubble.append(element('div', { className: 'note', role: 'status', hidden: true }));
	return bubble;
}

/** The webhook that an answer left with. */
const webhookOf = ({ at, text }, webhooks) =>
	webhooks.find(({ body }) =>
		JSON.parse(body).entry.some(({ messaging }) =>
			messaging.some(({ message, timestamp }) => timestamp === at && message?.text === text),
		),
	);

/** Where an answer has got to: a tap that comes too late looks like any other, because nothing comes back. */
function whereTo(answer, webhooks) {
	const held = webhookOf(answer, webhooks);
	if (!held) return '';
	const { status, error } = held;
	if (status === undefined) return error ? ' · did not reach n8n' : ' · on the way to n8n';
	// What n8n made of it, it does not say here.
	const means = status === 200 ? ' (received)' : '';
	return ` · sent to n8n, which answered ${status}${means}`;
}

/** How long a question waits unless the workflow says otherwise. */
const USUAL_WAIT_MINUTES = 5;

/** Nothing comes back for a tap that n8n does not take. Only n8n knows when a question is over; here is what can be told. */
function whyNothingHappens({ text, at }, chat, webhooks) {
	const answersTo = (id, said) => said.startsWith(`[${id}]:`);
	const asked = chat.find(({ message }) => message && answersTo(message.messageId, text));
	if (!asked) return '';
	// One that did not reach n8n does not count.
	const before = chat.some(
		({ answer }) =>
			answer?.at < at &&
			answersTo(asked.message.messageId, answer.text) &&
			webhookOf(answer, webhooks)?.status === 200,
	);
	if (before)
		return 'You have answered this message before. Send and Wait takes one answer, so this tap changes nothing.';
	if (at - asked.at < USUAL_WAIT_MINUTES * 60_000) return '';
	return `This message is older than the ${USUAL_WAIT_MINUTES} minutes that Send and Wait usually waits. If the time is up, this tap changes nothing.`;
}

function updateAnswer(bubble, { answer, at }, webhooks, chat) {
	const signed = {
		genuine: 'signed by the company app · ',
		otherPhone: 'signed by another phone · ',
		forged: 'signature forged · ',
		replayed: 'an earlier signature again · ',
		missing: 'not signed, the app is too old · ',
	};
	const footer = `${signed[answer.signature] ?? ''}${clock(at)}${whereTo(answer, webhooks)}`;
	bubble.querySelector('footer').textContent = footer;
	const why = whyNothingHappens(answer, chat, webhooks);
	bubble.querySelector('.note').textContent = why;
	bubble.querySelector('.note').hidden = why === '';
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

function showReplies(messages) {
	const items = messages.flatMap((message) =>
		message.quickReplies.map((reply, index) => ({ message, reply, index })),
	);
	$('replies').hidden = items.length === 0;
	showList(
		$('replies'),
		items,
		({ message, index }) => `${message.id} ${index}`,
		({ message, reply, index }) => {
			const button = choice(message, { ...reply, type: 'postback' }, index);
			if (isHttp(reply.imageUrl ?? '')) button.prepend(picture(reply.imageUrl));
			return button;
		},
	);
}

/** What a message holds and a phone does not show. */
function hintsOf({ message }) {
	if (!message) return [];
	const lists = message.elements?.map(({ buttonsV2 }) => buttonsV2) ?? [message.buttonsV2 ?? []];
	return lists.flatMap(({ length }, index) => {
		if (length <= drawnButtons) return [];
		const card = message.elements ? ` on card ${index + 1}` : '';
		const first = drawnButtons + 1;
		const which = first === length ? `Button ${first}` : `Buttons ${first} to ${length}`;
		const verb = first === length ? 'is' : 'are';
		return `${which}${card} ${verb} not shown: a phone shows ${drawnButtons}`;
	});
}

function showHints(chat) {
	const hints = hintsOf(chat.findLast((entry) => hintsOf(entry).length > 0) ?? {});
	$('hints').hidden = hints.length === 0;
	showList(
		$('hints'),
		hints,
		(hint) => hint,
		(hint) => element('li', { textContent: hint }),
	);
}

function showPhone({ people, chat, openReplies, webhooks }) {
	showList(
		$('phones'),
		people,
		addressOf,
		(person) => {
			const className = person.employeeNo === undefined ? '' : 'employee';
			return element('a', { href: `#${encodeURIComponent(addressOf(person))}`, className });
		},
		(link, person) => {
			const { name, unread } = person;
			const badge = unread > 0 ? [' ', element('b', { textContent: unread, title: 'unread' })] : [];
			link.replaceChildren(name || addressOf(person), ...badge);
			link.title = capital(roleOf(person));
			if (addressOf(person) === myAddress()) link.setAttribute('aria-current', 'page');
			else link.removeAttribute('aria-current');
		},
	);
	showCurrentPhone();
	me = people.find((person) => addressOf(person) === myAddress());
	const name = me?.name || myAddress();
	$('chat-title').textContent = name;
	$('chat-sub').textContent = me ? capital(roleOf(me)) : 'There is no such person';
	$('chat-initials').textContent = [...name][0] ?? '';
	$('chat-person').textContent = roleOf(whoIAm());
	$('chat-empty').hidden = chat.length > 0;
	$('chat').hidden = chat.length === 0;
	const { length } = $('chat').children;
	showList(
		$('chat'),
		chat,
		({ message, answer }) => (message ?? answer).id,
		(entry) => (entry.message ? messageBubble(entry) : answerBubble(entry)),
		(bubble, entry) =>
			entry.message ? updateMessage(bubble, entry) : updateAnswer(bubble, entry, webhooks, chat),
	);
	showReplies(openReplies);
	showHints(chat);
	// Diyalog's SDK hands mokValue to the company's app, which fills in its form.
	// Not the code of an earlier message: below another question it would be taken for that one's.
	const code = chat.findLast(({ message }) => message)?.message.mokValue ?? '';
	$('filled').hidden = !code;
	$('filled-code').textContent = code;
	// After the bars, which take room from the chat.
	if ($('chat').children.length !== length || followsNewest) showNewest();
	// A phone shows what it got as read only while somebody can see it.
	if (me?.unread && document.visibilityState === 'visible') {
		void call('POST', '/sandbox/read', { userId: me.userId });
	}
}

/* The panel */

/** A press and a text look alike in a webhook, but for the id of the message in brackets. */
function saidIn(text) {
	const [, payload] = /^\[[^\]]*\]:([\s\S]*)$/.exec(text) ?? [];
	return payload === undefined
		? `wrote “${shorten(text)}”`
		: `pressed a button: “${shorten(payload)}”`;
}

/** What becomes of what people do: the phone itself shows nothing of it. */
function waitingText(waiting) {
	if (waiting === 0) return 'Nothing waits to be posted';
	const events = waiting === 1 ? '1 event waits' : `${waiting} events wait`;
	return `${events} to be posted, with those of the next seconds`;
}

function webhookCard(webhook) {
	const again = () => call('POST', `/sandbox/webhooks/${webhook.id}/resend`);
	const events = JSON.parse(webhook.body).entry.flatMap(({ messaging }) => messaging);
	// What somebody did is what people look for; a narrow row shows only its beginning.
	const byDeed = events.toSorted((a, b) => Number(!a.message) - Number(!b.message));
	const names = byDeed.map(({ message, delivery, reads }) =>
		message ? saidIn(message.text) : `message ${delivery ? 'delivered' : reads ? 'read' : 'sent'}`,
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

function showPanel({ webhooks, waiting, documentsUnderWay, bots }) {
	const files = documentsUnderWay > 0 ? `, documents on the way: ${documentsUnderWay}` : '';
	$('waiting').textContent = waitingText(waiting) + files;
	$('flush').disabled = waiting === 0;
	showList($('webhooks'), webhooks, ({ id }) => String(id), webhookCard, updateWebhook);
	showList($('bots'), bots, ({ name }) => name, botForm);
}

/* What was asked of the server before it took a change of the switches says how they were, and is not shown. */

let changesUnderWay = 0;
let changesSeen = 0;

function showSwitches({ faults, hasKeyPerPhone }) {
	$('other-phones-key').hidden = !hasKeyPerPhone;
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
	query.set('kind', 'otp');
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

/* The key of this phone */

const schemes = {
	jws: 'as JWS',
	separator: 'as payload, separator and signature',
	signatureOnly: 'as a signature alone',
	json: 'as JSON with payload and signature',
};
let phoneKey = {};

async function showKey() {
	if ($('key-tab').hidden) return;
	const person = me;
	const query = new URLSearchParams({ userId: person?.userId });
	const fetched = person ? await (await fetch(`/sandbox/key?${query}`)).json() : {};
	// Another phone was chosen meanwhile, and its key is fetched too.
	if (person?.userId !== me?.userId) return;
	phoneKey = fetched;
	writeKey();
}

function writeKey() {
	const { scheme, algorithm, isShared, pem, secret, thumbprint } = phoneKey;
	const form = $('key-format').value;
	const text = form === 'jwk' ? JSON.stringify(phoneKey.jwk, null, 2) : phoneKey[form];
	const what = pem ? 'key' : 'secret';
	const where = isShared ? `All phones have this ${what}.` : `This ${what} is on this phone alone.`;
	const configured = pem || secret ? '' : ' It stands in your configuration.';
	$('key-says').textContent = scheme
		? `The company app on this phone signs hidden payloads with ${algorithm}, ${schemes[scheme]}. ${where}${configured}`
		: 'There is no such person, so no key.';
	$('key-parts').hidden = !pem && !secret;
	$('key-formats').hidden = !pem;
	$('key-thumbprint').hidden = !pem;
	$('key-thumbprint').lastChild.textContent = thumbprint ?? '';
	const shown = (pem ? text : secret) ?? '';
	// What is shown already stays, and with it what somebody has selected.
	if ($('key').textContent === shown) return;
	$('key').textContent = shown;
	$('copy').textContent = 'Copy';
}

async function copyKey() {
	const text = $('key').textContent;
	try {
		await navigator.clipboard.writeText(text);
	} catch {
		// Browsers keep the clipboard from pages that are neither of this machine nor https.
		getSelection().selectAllChildren($('key'));
		document.execCommand('copy');
	}
	$('copy').textContent = 'Copied';
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
			const query = new URLSearchParams(whoIAm());
			const changesBefore = changesSeen;
			const state = await (await fetch(`/sandbox/state?${query}`)).json();
			({ drawnButtons } = state);
			if (!myAddress() && state.people[0]) location.hash = addressOf(state.people[0]);
			showPhone(state);
			showPanel(state);
			if (changesUnderWay === 0 && changesBefore === changesSeen) showSwitches(state);
			await showOtps();
			await showKey();
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
	void showKey();
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
	const value = { checkbox: target.checked, number: Number(target.value) }[target.type];
	void changeSwitch(target.name, value ?? target.value);
});
$('key-format').addEventListener('change', writeKey);
$('copy').addEventListener('click', copyKey);
$('composer').addEventListener('submit', (event) => {
	event.preventDefault();
	const { text } = event.target.elements;
	void call('POST', '/sandbox/type', { ...whoIAm(), text: text.value });
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
