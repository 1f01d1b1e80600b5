import { fileEmpty, fileNoImage, fileNotValid, fileTooLarge } from './refusals';

/** A file of this many bytes is refused. */
const TOO_LARGE_BYTES = 5_000_000;

/** A document as the phone has it. */
export interface DocumentFile {
	fileName: string;
	/** Base64, as it was sent. Left out of everything that goes over HTTP as JSON. */
	fileData: string;
	mimeType?: string;
	/** In bytes. */
	size: number;
	photo?: { width: number; height: number };
	/** `duration` in seconds. */
	video?: { width: number; height: number; duration: number };
	voice?: { duration: number };
}

/** Checks a document as the server does before it takes it. */
export function readFile(document: Omit<DocumentFile, 'size'>): DocumentFile {
	const { fileData, photo } = document;
	if (fileData === '') throw fileEmpty();
	if (!isBase64(fileData)) throw fileNotValid();
	const bytes = Buffer.from(fileData, 'base64');
	if (bytes.length >= TOO_LARGE_BYTES) throw fileTooLarge();
	if (photo && !imageTypeOf(bytes)) throw fileNoImage();
	return { ...document, size: bytes.length };
}

/**
 * Looks for what does not belong there: `[A-Za-z0-9+/]+` over more than four million characters
 * throws in a process whose V8 has compiled much and stops optimizing regular expressions.
 */
function isBase64(text: string): boolean {
	const letters = text.replace(/={1,2}$/, '');
	return text.length % 4 === 0 && letters !== '' && !/[^A-Za-z0-9+/]/.test(letters);
}

/** Pictures are known by their first bytes. A RIFF file says what it is behind its length. */
const imageStarts: ReadonlyArray<{ type: string; at: number; bytes: string }> = [
	{ type: 'image/png', at: 0, bytes: '\x89PNG\r\n\x1a\n' },
	{ type: 'image/jpeg', at: 0, bytes: '\xff\xd8\xff' },
	{ type: 'image/gif', at: 0, bytes: 'GIF8' },
	{ type: 'image/webp', at: 8, bytes: 'WEBP' },
	{ type: 'image/bmp', at: 0, bytes: 'BM' },
	{ type: 'image/heic', at: 4, bytes: 'ftyphei' },
];

function imageTypeOf(bytes: Buffer): string | undefined {
	return imageStarts.find(
		(start) => bytes.toString('latin1', start.at, start.at + start.bytes.length) === start.bytes,
	)?.type;
}

/**
 * How a browser may take the file. Whoever sends a document chooses its name and type, so nothing
 * that runs is served as such: pictures and sound are shown, everything else is a download.
 */
export function servedAs({ mimeType = '', photo, fileData }: DocumentFile) {
	const bytes = Buffer.from(fileData, 'base64');
	const imageType = photo && imageTypeOf(bytes);
	const isPlayable = /^(audio|video)\/[\w.+-]+$/.test(mimeType);
	const type = imageType ?? (isPlayable ? mimeType : 'application/octet-stream');
	return { bytes, type, isShown: imageType !== undefined || isPlayable };
}
