import { addProblem } from '../input/problem';
import type { InputProblem } from '../input/problem';
import { optionalText, wholeNumber } from '../input/schemas';
import { lazily, z } from '../lib/zod';
import {
	MAX_PIXELS,
	MAX_SECONDS,
	durationSecondsOf,
	imageSizeOf,
	isImage,
	videoSizeOf,
} from './mediaSize';
import type { PixelSize } from './mediaSize';

/*
 * The document of Diyalog's SendMessage request: any file, or one that the phone shows as photo, video or voice message.
 * Source: https://diyalog-im.github.io/docs/diyalog-messaging-api-sendmessage-api
 */

/** A file has to be smaller: Diyalog says "under 5 MB", and this is the smallest number that can mean. */
export const MAX_FILE_BYTES = 5_000_000;

/** The field that says where an item holds its file. */
export const FILE_FIELD = 'binaryPropertyName';

/** A file of an item. */
export interface MediaFile {
	name: string | undefined;
	mimeType: string | undefined;
	data: Buffer;
}

/** A document as Diyalog takes it: whole numbers, in pixels and seconds. */
export interface DiyalogDocument {
	fileName: string;
	/** base64 */
	fileData: string;
	mimeType?: string;
	/** one of these three at most; a plain document without */
	photo?: PixelSize;
	video?: PixelSize & { duration: number };
	voice?: { duration: number };
}

// 0 stands for what was not given, also by an expression; nobody can enter it.
const optionalNumber = (max: number) =>
	z
		.unknown()
		.optional()
		.transform((entered): unknown => entered ?? undefined)
		.pipe(wholeNumber(1, max, 0))
		.transform((entered) => entered || undefined);

/** What the fields of a document hold. */
export const documentShape = lazily(() => ({
	sendAs: z.enum(['document', 'photo', 'video', 'voice']).default('document'),
	mediaOptions: z
		.object({
			fileName: optionalText(),
			width: optionalNumber(MAX_PIXELS),
			height: optionalNumber(MAX_PIXELS),
			duration: optionalNumber(MAX_SECONDS),
		})
		.prefault({}),
}));

/** How a file is to be sent, checked. */
export type DocumentSettings = z.output<z.ZodObject<ReturnType<typeof documentShape>>>;

/** Why a file of this size cannot be sent; undefined when it can. It needs no look into the file. */
export function fileSizeProblem(bytes: number): Omit<InputProblem, 'field'> | undefined {
	if (bytes > 0 && bytes < MAX_FILE_BYTES) return undefined;
	if (bytes === 0) {
		return {
			problem: 'names a file that is empty',
			advice: 'Check what the previous node put into it.',
		};
	}
	return {
		problem: 'names a file that is too large',
		advice: 'Diyalog takes files under 5 MB. Send a smaller file, or a link to it.',
	};
}

/** Extensions that are not the second half of the MIME type. */
const EXTENSIONS: Readonly<Record<string, string>> = {
	'application/msword': 'doc',
	'application/vnd.ms-excel': 'xls',
	'application/vnd.openxmlformats-officedocument.presentationml.presentation': 'pptx',
	'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet': 'xlsx',
	'application/vnd.openxmlformats-officedocument.wordprocessingml.document': 'docx',
	'audio/mp4': 'm4a',
	'audio/mpeg': 'mp3',
	'audio/x-wav': 'wav',
	'image/jpeg': 'jpg',
	'image/svg+xml': 'svg',
	'text/calendar': 'ics',
	'text/plain': 'txt',
	'video/mpeg': 'mpg',
	'video/quicktime': 'mov',
};

const extensionOf = (mimeType = ''): string =>
	EXTENSIONS[mimeType] ?? /\/([a-z0-9]{2,5})$/.exec(mimeType)?.[1] ?? 'bin';

/** A MIME type without its parameters; undefined for what is none. */
const plainMimeType = (entered = ''): string | undefined =>
	/^[a-z0-9.+-]{1,99}\/[a-z0-9.+-]{1,99}$/.exec(
		(entered.split(';')[0] ?? '').trim().toLowerCase(),
	)?.[0];

/** Control characters, and those that turn the direction of writing and so can hide what a file is. */
const UNSAFE = /[\p{Cc}\p{Cs}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu;

/** The last part of a path; undefined where that is no name. */
export function baseName(path = ''): string | undefined {
	const name = (path.split(/[/\\]/).pop() ?? '').replace(UNSAFE, '').trim();
	return /^\.*$/.test(name) ? undefined : name;
}

/**
 * Makes the document of a message, or says why the file cannot be sent so. Sizes that were not entered are read from the file.
 *
 * @param context takes the problem
 */
export function toDocument(
	{ sendAs, mediaOptions }: DocumentSettings,
	{ name, mimeType: enteredType, data }: MediaFile,
	context: z.RefinementCtx,
): DiyalogDocument {
	const sizeProblem = fileSizeProblem(data.length);
	if (sizeProblem) return addProblem(context, sizeProblem.problem, sizeProblem.advice, FILE_FIELD);
	if (sendAs === 'photo' && !isImage(data)) {
		return addProblem(
			context,
			'names a file that is not an image',
			'Diyalog refuses it as a photo. Send it as a document, or check what the previous node put into it.',
			FILE_FIELD,
		);
	}
	const mimeType = plainMimeType(enteredType);
	const document: DiyalogDocument = {
		fileName:
			baseName(mediaOptions.fileName) ?? baseName(name) ?? `${sendAs}.${extensionOf(mimeType)}`,
		fileData: data.toString('base64'),
		mimeType,
	};
	if (sendAs === 'document') return document;
	const needed = (field: 'width' | 'height' | 'duration', fromFile: number | undefined): number =>
		mediaOptions[field] ??
		fromFile ??
		addProblem(
			context,
			'is empty and cannot be read from the file',
			'Enter it, or send the file as a document.',
			'mediaOptions',
			field,
		);
	const duration = () => needed('duration', durationSecondsOf(data));
	if (sendAs === 'voice') return { ...document, voice: { duration: duration() } };
	const inFile = sendAs === 'photo' ? imageSizeOf(data) : videoSizeOf(data);
	const size = { width: needed('width', inFile?.width), height: needed('height', inFile?.height) };
	if (sendAs === 'photo') return { ...document, photo: size };
	return { ...document, video: { ...size, duration: duration() } };
}

/**
 * What was entered for a document, made into one.
 *
 * @param file that is sent
 */
export const documentSchema = (file: MediaFile) =>
	z
		.object(documentShape())
		.transform((settings, context): DiyalogDocument => toDocument(settings, file, context));
