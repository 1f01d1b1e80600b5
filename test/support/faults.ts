import type { Behaviour } from './faultyServer';

/** Faults after which nobody can tell whether the message arrived: what happens, what is said of it, and how often the person got it. */
export const UNCERTAIN: Array<[string, Behaviour, RegExp, number]> = [
	['reset on connecting', { kind: 'resetOnConnect' }, /broke off/, 0],
	['reset before the body', { kind: 'resetBeforeBody' }, /broke off/, 0],
	['reset during the body', { kind: 'resetDuringBody' }, /broke off/, 0],
	['reset after the body', { kind: 'resetAfterBody' }, /broke off/, 1],
	['reset during the answer', { kind: 'resetDuringAnswer' }, /broke off/, 1],
	['no answer at all', { kind: 'silence' }, /did not answer in time/, 1],
	['half an answer', { kind: 'slowAnswer' }, /did not answer in time/, 1],
	['an endless answer', { kind: 'endlessAnswer' }, /not one of Diyalog's/, 1],
	[
		'a login page',
		{ kind: 'deliverAndAnswer', status: 200, text: '<html>Login</html>' },
		/not one of Diyalog's/,
		1,
	],
	[
		'an answer without ids',
		{ kind: 'deliverAndAnswer', status: 200, text: '{}' },
		/not one of Diyalog's/,
		1,
	],
	[
		'an empty answer',
		{ kind: 'deliverAndAnswer', status: 200, text: '' },
		/not one of Diyalog's/,
		1,
	],
	[
		'an answer that is no JSON to its end',
		{
			kind: 'deliverAndAnswer',
			status: 200,
			text: '{"recipient_id":"243540663","message_id":"-75',
		},
		/not one of Diyalog's/,
		1,
	],
	[
		'HTTP 500',
		{ kind: 'deliverAndAnswer', status: 500, text: 'Internal Server Error' },
		/HTTP 500/,
		1,
	],
	['HTTP 502', { kind: 'deliverAndAnswer', status: 502, text: 'Bad Gateway' }, /HTTP 502/, 1],
	[
		'HTTP 503 without Retry-After',
		{ kind: 'deliverAndAnswer', status: 503, text: '' },
		/HTTP 503/,
		1,
	],
];

/** What Diyalog refuses for good, in its own words. */
export const REFUSED: Array<[string, number, string]> = [
	['wrong token, in spite of its 503', 503, 'You may be using wrong token.'],
	['unknown customer', 500, 'Not delivered due to recepient not found.'],
	['malformed', 400, 'The request content was malformed: x'],
	['bot off', 500, 'Sender bot is not alive.'],
	['too large a file', 400, 'Exceeded max file size of 5MB'],
	['base64 that is none', 400, 'File data bytes not valid'],
	['an empty file', 400, 'File data bytes is empty'],
	['no photo', 400, 'File as photo cannot be parsed due to it is not a image file.'],
];
