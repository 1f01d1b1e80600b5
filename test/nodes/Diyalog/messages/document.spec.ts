import type { INodeProperties } from 'n8n-workflow';
import { check } from '../../../../nodes/Diyalog/input/problem';
import {
	FILE_FIELD,
	MAX_FILE_BYTES,
	documentSchema,
	fileSizeProblem,
} from '../../../../nodes/Diyalog/messages/document';
import type { MediaFile } from '../../../../nodes/Diyalog/messages/document';
import { heic, jpeg, mp4, ogg, png } from '../../../support/mediaFiles';

const numberField = (displayName: string, name: string): INodeProperties => ({
	displayName,
	name,
	type: 'number',
	default: '',
});

const fields: INodeProperties[] = [
	{ displayName: 'Input Binary Field', name: FILE_FIELD, type: 'string', default: 'data' },
	{
		displayName: 'Send As',
		name: 'sendAs',
		type: 'options',
		options: ['document', 'photo', 'video', 'voice'].map((value) => ({ name: value, value })),
		default: 'document',
	},
	{
		displayName: 'Media Options',
		name: 'mediaOptions',
		type: 'collection',
		default: {},
		options: [
			{ displayName: 'File Name', name: 'fileName', type: 'string', default: '' },
			numberField('Width', 'width'),
			numberField('Height', 'height'),
			numberField('Duration (Seconds)', 'duration'),
		],
	},
];

const text: MediaFile = {
	name: 'receipt.txt',
	mimeType: 'text/plain',
	data: Buffer.from('Thank you'),
};
const photo: MediaFile = { name: 'card.png', mimeType: 'image/png', data: png(30, 20) };
const video: MediaFile = {
	name: 'tour.mp4',
	mimeType: 'video/mp4',
	data: mp4.phone(640, 360, 7),
};
const voice: MediaFile = { name: 'note.ogg', mimeType: 'audio/ogg', data: ogg.opus(61) };
const unreadable = Buffer.from('nobody knows what this is');

const checkDocument = (entered: object, file: MediaFile) =>
	check(documentSchema(file), entered, fields);

function documentOf(entered: object, file: MediaFile) {
	const checked = checkDocument(entered, file);
	if (!checked.valid) throw new Error(JSON.stringify(checked.problem));
	return checked.input;
}

function problemOf(entered: object, file: MediaFile) {
	const checked = checkDocument(entered, file);
	if (checked.valid) throw new Error('This file should not have been accepted');
	return checked.problem;
}

describe('the document of a message', () => {
	it('is any file, with its fields in the documented order', () => {
		expect(JSON.stringify(documentOf({}, text))).toBe(
			'{"fileName":"receipt.txt","fileData":"VGhhbmsgeW91","mimeType":"text/plain"}',
		);
	});

	it.each([
		['photo', photo, { photo: { width: 30, height: 20 } }],
		['video', video, { video: { width: 640, height: 360, duration: 7 } }],
		['voice', voice, { voice: { duration: 61 } }],
		['document', photo, {}],
	])('takes the sizes of a %s from the file', (sendAs, file, expected) => {
		const { name, mimeType, data } = file;
		expect(documentOf({ sendAs }, file)).toEqual({
			fileName: name,
			fileData: data.toString('base64'),
			mimeType,
			...expected,
		});
	});

	it('takes the size of a photo as a person sees it who holds the phone upright', () => {
		const turned = Buffer.from(jpeg(30, 20));
		expect(documentOf({ sendAs: 'photo' }, { ...photo, data: turned }).photo).toEqual({
			width: 30,
			height: 20,
		});
	});

	it.each([
		[
			{ width: '31', height: ' 21 ' },
			{ width: 31, height: 21 },
		],
		[{ width: 31 }, { width: 31, height: 20 }],
		[
			{ width: '', height: null },
			{ width: 30, height: 20 },
		],
		[{ duration: 5 }, { width: 30, height: 20 }],
	])('prefers what was entered: %j', (mediaOptions, expected) => {
		expect(documentOf({ sendAs: 'photo', mediaOptions }, photo).photo).toEqual(expected);
	});

	it('takes everything from the fields where the file says nothing', () => {
		const mediaOptions = { width: 8, height: 6, duration: '4' };
		const file = { ...video, data: unreadable };
		expect(documentOf({ sendAs: 'video', mediaOptions }, file).video).toEqual({
			width: 8,
			height: 6,
			duration: 4,
		});
	});

	it.each([
		['photo', { ...photo, data: heic }, {}, 'Width'],
		['photo', { ...photo, data: heic }, { width: 9 }, 'Height'],
		['video', { ...video, data: unreadable }, { width: 9 }, 'Height'],
		['video', { ...video, data: mp4.ofUnknownLength }, {}, 'Duration (Seconds)'],
		['voice', { ...voice, data: unreadable }, { width: 9 }, 'Duration (Seconds)'],
	])('names what is missing of a %s', (sendAs, file, mediaOptions, field) => {
		expect(problemOf({ sendAs, mediaOptions }, file)).toEqual({
			field,
			problem: 'is empty and cannot be read from the file',
			advice: 'Enter it, or send the file as a document.',
		});
	});

	it.each([0, -1, 1.5, '12px', 100_001, 'Infinity', {}])('refuses %j as a size', (width) => {
		expect(problemOf({ sendAs: 'photo', mediaOptions: { width } }, photo)).toMatchObject({
			field: 'Width',
			problem: 'is not a whole number from 1 to 100000',
		});
	});

	it('refuses as a photo what is no image', () => {
		expect(problemOf({ sendAs: 'photo' }, { ...photo, data: unreadable })).toMatchObject({
			field: 'Input Binary Field',
			problem: 'names a file that is not an image',
		});
	});

	it('refuses a kind that does not exist', () => {
		expect(problemOf({ sendAs: 'sticker' }, photo).field).toBe('Send As');
	});
});

describe('the size of a file', () => {
	const ofSize = (bytes: number) => ({ ...text, data: Buffer.alloc(bytes) });

	it('is under 5 MB', () => {
		expect(MAX_FILE_BYTES).toBe(5_000_000);
		expect(documentOf({}, ofSize(MAX_FILE_BYTES - 1)).fileData).toHaveLength(6_666_668);
		expect(problemOf({}, ofSize(MAX_FILE_BYTES))).toMatchObject({
			field: 'Input Binary Field',
			problem: 'names a file that is too large',
		});
	});

	it('is not 0', () => {
		expect(problemOf({}, ofSize(0))).toMatchObject({ problem: 'names a file that is empty' });
	});

	it.each([NaN, Infinity, -1])('is refused where it is no size: %d', (bytes) => {
		expect(fileSizeProblem(bytes)).toBeDefined();
	});
});

describe('the name of a file', () => {
	const nameOf = (entered: unknown, name?: string, mimeType?: string, sendAs = 'document') =>
		documentOf(
			{ sendAs, mediaOptions: { fileName: entered } },
			{ name, mimeType, data: photo.data },
		).fileName;

	it('is what was entered rather than that of the file', () => {
		expect(nameOf('Dekont Şubat.pdf', 'x.pdf')).toBe('Dekont Şubat.pdf');
		expect(nameOf('', 'x.pdf')).toBe('x.pdf');
		expect(nameOf(17, 'x.pdf')).toBe('17');
	});

	it.each([
		['1: a path', '/etc/passwd', 'passwd'],
		['2: a way out', '../../secret.txt', 'secret.txt'],
		['3: a path of Windows', 'C:\\Users\\me\\a.pdf', 'a.pdf'],
		['4: both', '..\\../a.pdf', 'a.pdf'],
		['5: line breaks and NUL', 'a\r\nX: y\0.pdf', 'aX: y.pdf'],
		['6: letters that turn the direction', 'invoice\u202efdp.exe', 'invoicefdp.exe'],
		['7: half a character', 'a\ud800.pdf', 'a.pdf'],
		['8: blanks around', '  a.pdf  ', 'a.pdf'],
		['9: a folder', 'folder/', 'given.png'],
		['10: this folder', '.', 'given.png'],
		['11: the folder above', 'a/..', 'given.png'],
		['12: control characters only', '\u0001\u007f', 'given.png'],
		['13: a separator behind a control character', '..\u0000/a.pdf', 'a.pdf'],
	])('is only a name: attack %s', (_, entered, expected) => {
		expect(nameOf(entered, 'given.png')).toBe(expected);
		expect(nameOf('', entered)).toBe(expected === 'given.png' ? 'document.bin' : expected);
	});

	it.each([
		['image/jpeg', 'photo', 'photo.jpg'],
		['image/png', 'photo', 'photo.png'],
		['IMAGE/PNG; charset=binary', 'photo', 'photo.png'],
		['application/pdf', 'document', 'document.pdf'],
		['text/plain; charset=utf-8', 'document', 'document.txt'],
		[
			'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
			'document',
			'document.xlsx',
		],
		['application/octet-stream', 'document', 'document.bin'],
		['constructor', 'document', 'document.bin'],
		['', 'document', 'document.bin'],
		[undefined, 'document', 'document.bin'],
	])('is made where there is none: %s, %s', (mimeType, sendAs, expected) => {
		expect(nameOf('', undefined, mimeType, sendAs)).toBe(expected);
	});
});

describe('the MIME type of a file', () => {
	it.each([
		['Text/Plain; charset=utf-8', 'text/plain'],
		['image/svg+xml', 'image/svg+xml'],
		['', undefined],
		['text', undefined],
		['text/plain\r\nX: y', undefined],
		[undefined, undefined],
	])('is %j: %j', (mimeType, expected) => {
		expect(documentOf({}, { ...text, mimeType }).mimeType).toBe(expected);
	});
});
