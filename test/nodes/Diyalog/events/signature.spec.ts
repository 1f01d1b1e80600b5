import {
	explainMismatch,
	verifyAuthToken,
	verifySignature,
} from '../../../../nodes/Diyalog/events/signature';
import { hmacSha1 } from '../../../support/sign';

const SECRET = 'a-secret';
const BODY = Buffer.from('{"object":"dialog","entry":[]}');
const hex = hmacSha1(BODY, SECRET);
const base64 = hmacSha1(BODY, SECRET, 'base64');

describe('verifySignature', () => {
	it.each([
		['hex', hex],
		['upper-case hex', hex.toUpperCase()],
		['hex with sha1=', `sha1=${hex}`],
		['hex with SHA1=', `SHA1=${hex}`],
		['base64', base64],
		['base64 with sha1=', `sha1=${base64}`],
		['base64 without padding', base64.replace('=', '')],
		['base64url', base64.replaceAll('+', '-').replaceAll('/', '_')],
		['surrounding blanks', ` ${hex} `],
	])('accepts the right HMAC as %s', (_, header) => {
		expect(verifySignature(BODY, header, [SECRET])).toBe('valid');
	});

	it('agrees with the vector of RFC 2202, test case 2', () => {
		const body = Buffer.from('what do ya want for nothing?');
		expect(verifySignature(body, 'effcdf6ae5eb2fa2d27416d5f184df9c259a7c79', ['Jefe'])).toBe(
			'valid',
		);
	});

	it.each([
		['1. no header', undefined, 'noHeader'],
		['2. an empty header', '', 'noHeader'],
		['3. a signature with another secret', hmacSha1(BODY, 'another'), 'mismatch'],
		['4. a signature of another body', hmacSha1('{}', SECRET), 'mismatch'],
		['5. a signature cut short', hex.slice(0, 38), 'notASignature'],
		['6. a signature with something appended', `${hex}00`, 'notASignature'],
		['7. only the prefix', 'sha1=', 'notASignature'],
		['8. a SHA-256 HMAC', 'a'.repeat(64), 'notASignature'],
		['9. one digit changed', hex.replace(/^./, (digit) => (digit === '0' ? '1' : '0')), 'mismatch'],
		['10. the secret itself', SECRET, 'notASignature'],
		['11. no hex digits', 'z'.repeat(40), 'notASignature'],
	])('refuses %s', (_, header, verdict) => {
		expect(verifySignature(BODY, header, [SECRET])).toBe(verdict);
	});

	it('12. fails closed without a secret, even for a signature made with an empty one', () => {
		expect(verifySignature(BODY, hmacSha1(BODY, ''), ['', ''])).toBe('noSecret');
	});
});

describe('two secrets, while app_secret is being changed', () => {
	it('accepts both', () => {
		const secrets = ['new', 'old'];
		expect(verifySignature(BODY, hmacSha1(BODY, 'new'), secrets)).toBe('valid');
		expect(verifySignature(BODY, hmacSha1(BODY, 'old'), secrets)).toBe('valid');
		expect(verifySignature(BODY, hmacSha1(BODY, 'older'), secrets)).toBe('mismatch');
	});

	it('13. never takes an empty one of them for a secret', () => {
		expect(verifySignature(BODY, hmacSha1(BODY, ''), ['new', ''])).toBe('mismatch');
	});
});

describe('explainMismatch', () => {
	const sent = '{"object":"dialog", "entry":[]}';

	it.each([
		['a proxy minified the body', sent, '{"object":"dialog","entry":[]}', 'otherSecret'],
		['a proxy laid the body out anew', '{"object":"dialog","entry":[]}', sent, 'bodyAltered'],
		['a proxy appended a line break', sent, `${sent}\n`, 'bodyAltered'],
		['a proxy cut a line break off', `${sent}\n`, sent, 'bodyAltered'],
		[
			'a proxy changed the line breaks',
			`{\n${sent.slice(1)}`,
			`{\r\n${sent.slice(1)}`,
			'bodyAltered',
		],
	])('%s', (_, signed, received, cause) => {
		const header = hmacSha1(signed, SECRET);
		expect(verifySignature(Buffer.from(received), header, [SECRET])).toBe('mismatch');
		expect(explainMismatch(Buffer.from(received), header, [SECRET])).toBe(cause);
	});

	it('blanks were pasted along with the secret', () => {
		expect(explainMismatch(BODY, hex, [` ${SECRET}\n`])).toBe('secretHasBlanks');
	});

	it('another secret, also for a body that is no JSON', () => {
		expect(explainMismatch(BODY, hmacSha1(BODY, 'another'), [SECRET])).toBe('otherSecret');
		expect(explainMismatch(Buffer.from('{'), hmacSha1('{', 'another'), [SECRET])).toBe(
			'otherSecret',
		);
	});
});

describe('verifyAuthToken', () => {
	it.each([
		['token', 'token', true],
		['token', 'Token', false],
		['token ', 'token', false],
		['', '', false],
		[undefined, '', false],
		[undefined, 'token', false],
		['a'.repeat(100_000), 'token', false],
	])('%j against %j: %p', (given, expected, verdict) => {
		expect(verifyAuthToken(given, expected)).toBe(verdict);
	});
});
