/*
 * How large a picture or a video is and how long a recording, read from the first bytes that say so.
 * Nothing in a file is believed further than the file reaches, and no byte is looked at more than a few times.
 */

/** In pixels, as a person sees it: a rotation that the file asks for is done. */
export interface PixelSize {
	width: number;
	height: number;
}

/** Whoever says more than this cannot be believed. */
export const MAX_PIXELS = 100_000;
export const MAX_SECONDS = 86_400;

/** An unsigned number of the file; NaN, which no comparison holds for, where the file has ended. */
function uint(data: Buffer, at: number, bytes: number, littleEndian = false): number {
	if (!(at >= 0 && at + bytes <= data.length)) return NaN;
	return littleEndian ? data.readUIntLE(at, bytes) : data.readUIntBE(at, bytes);
}
const uintLE = (data: Buffer, at: number, bytes: number) => uint(data, at, bytes, true);
const uint64 = (data: Buffer, at: number) => uint(data, at, 4) * 2 ** 32 + uint(data, at + 4, 4);
const latin = (data: Buffer, from: number, to: number) => data.toString('latin1', from, to);

const isWithin = (value: number, max: number): boolean => value >= 1 && value <= max;

function pixels(width: number, height: number, turned = false): PixelSize | undefined {
	if (!isWithin(width, MAX_PIXELS) || !isWithin(height, MAX_PIXELS)) return undefined;
	return turned ? { width: height, height: width } : { width, height };
}

/** Whether the Exif data of a JPEG lays the picture on its side. */
function isTurned(segment: Buffer): boolean {
	if (latin(segment, 0, 6) !== 'Exif\0\0') return false;
	const tiff = segment.subarray(6);
	const isLittle = latin(tiff, 0, 2) === 'II';
	const directory = uint(tiff, 4, 4, isLittle);
	const end = Math.min(tiff.length, directory + 2 + 12 * uint(tiff, directory, 2, isLittle));
	for (let at = directory + 2; at + 12 <= end; at += 12) {
		if (uint(tiff, at, 2, isLittle) === 0x0112)
			return [5, 6, 7, 8].includes(uint(tiff, at + 8, 2, isLittle));
	}
	return false;
}

function jpegSize(data: Buffer): PixelSize | undefined {
	let turned = false;
	for (let at = 2; data[at] === 0xff; ) {
		const marker = data[at + 1] ?? 0;
		if (marker === 0xff) at += 1;
		else if (marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8)) at += 2;
		else {
			const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
			if (isFrame) return pixels(uint(data, at + 7, 2), uint(data, at + 5, 2), turned);
			const next = at + 2 + uint(data, at + 2, 2);
			if (marker === 0xe1) turned ||= isTurned(data.subarray(at + 4, next));
			at = Math.max(at + 2, next);
		}
	}
	return undefined;
}

/** The first kind of chunk says how a WebP is packed. */
function webpSize(data: Buffer): PixelSize | undefined {
	const kind = latin(data, 12, 16);
	if (kind === 'VP8X') return pixels(uintLE(data, 24, 3) + 1, uintLE(data, 27, 3) + 1);
	if (kind === 'VP8L') {
		const bits = uintLE(data, 21, 4);
		return bits >= 0 ? pixels((bits & 0x3fff) + 1, ((bits >>> 14) & 0x3fff) + 1) : undefined;
	}
	return pixels(uintLE(data, 26, 2) & 0x3fff, uintLE(data, 28, 2) & 0x3fff);
}

function bmpSize(data: Buffer): PixelSize | undefined {
	if (uintLE(data, 14, 4) === 12) return pixels(uintLE(data, 18, 2), uintLE(data, 20, 2));
	// A picture that is stored from top to bottom has a negative height.
	return pixels(uintLE(data, 18, 4), Math.abs(uintLE(data, 22, 4) | 0));
}

type Reader<T> = (data: Buffer) => T | undefined;

/** Kinds of files by how they begin. */
type Table<T> = ReadonlyArray<readonly [RegExp, Reader<T>]>;

const IMAGES: Table<PixelSize> = [
	[/^\x89PNG\r\n.{6}IHDR/s, (data) => pixels(uint(data, 16, 4), uint(data, 20, 4))],
	[/^\xff\xd8\xff/, jpegSize],
	[/^GIF8[79]a/, (data) => pixels(uintLE(data, 6, 2), uintLE(data, 8, 2))],
	[/^RIFF.{4}WEBPVP8[ LX]/s, webpSize],
	[/^BM.{12}[\f\x28\x34\x38\x40\x6c\x7c]\0\0\0/s, bmpSize],
	// TIFF, and HEIF and AVIF, whose sizes would cost too much to find.
	[/^(II\*\0|MM\0\*|.{4}ftyp(hei|hev|mif1|msf1|avi[fs]))/s, () => undefined],
];

function wavSeconds(data: Buffer): number | undefined {
	let bytesPerSecond = NaN;
	for (let at = 12; at + 8 <= data.length; ) {
		const kind = latin(data, at, at + 4);
		const size = uintLE(data, at + 4, 4);
		if (kind === 'fmt ') bytesPerSecond = uintLE(data, at + 16, 4);
		// What was recorded into a pipe says no true length.
		if (kind === 'data') return Math.min(size, data.length - at - 8) / bytesPerSecond;
		at += 8 + size + (size % 2);
	}
	return undefined;
}

function oggSeconds(data: Buffer): number | undefined {
	const isOpus = latin(data, 28, 36) === 'OpusHead';
	if (!isOpus && latin(data, 28, 35) !== '\x01vorbis') return undefined;
	const [rate, skipped] = isOpus ? [48_000, uintLE(data, 38, 2)] : [uintLE(data, 40, 4), 0];
	for (let at = data.lastIndexOf('OggS'); at > 0; at = data.lastIndexOf('OggS', at - 1)) {
		const high = uintLE(data, at + 10, 4);
		// A page within which no packet ends has the position -1.
		if (high < 2 ** 31) return (high * 2 ** 32 + uintLE(data, at + 6, 4) - skipped) / rate;
	}
	return undefined;
}

const KBITS_V1 = [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];
const KBITS_V2 = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];

/** One frame of an MP3: its length, NaN where there is none, and how long it plays. */
function mp3Frame(data: Buffer, at: number): { bytes: number; seconds: number } {
	const header = uint(data, at, 4);
	const version = (header >>> 19) & 3;
	const isV1 = version === 3;
	const rate =
		([44_100, 48_000, 32_000][(header >>> 10) & 3] ?? NaN) / (isV1 ? 1 : version === 2 ? 2 : 4);
	const bits = ((isV1 ? KBITS_V1 : KBITS_V2)[(header >>> 12) & 15] || NaN) * 1000;
	const isFrame = header >>> 21 === 0x7ff && version !== 1 && ((header >>> 17) & 3) === 1;
	const samples = isV1 ? 1152 : 576;
	const bytes = Math.floor((samples * bits) / 8 / rate) + ((header >>> 9) & 1);
	return { bytes: isFrame ? bytes : NaN, seconds: samples / rate };
}

/** Adds up the frames: that is right for every way of packing them. */
function mp3Seconds(data: Buffer): number | undefined {
	let at = 0;
	if (latin(data, 0, 3) === 'ID3') {
		// The length of the tag before the sound has seven bits in each byte.
		for (const byte of data.subarray(6, 10)) at = at * 128 + (byte & 127);
		at += (data[5] ?? 0) & 16 ? 20 : 10;
		while (data[at] === 0) at += 1;
	}
	let sum = 0;
	for (let count = 0; ; count += 1) {
		const { bytes, seconds } = mp3Frame(data, at);
		// Two in a row are no accident.
		if (!(bytes > 0)) return count > 1 ? sum : undefined;
		sum += seconds;
		at += bytes;
	}
}

/** More boxes of a kind than a person ever made. */
const MAX_BOXES = 100;

/** The contents of the boxes of one kind that an MP4 or a box of it consists of. */
function boxesIn(data: Buffer, kind: string): Buffer[] {
	const found: Buffer[] = [];
	for (let at = 0; at + 8 <= data.length && found.length < MAX_BOXES; ) {
		const short = uint(data, at, 4);
		const size = short === 1 ? uint64(data, at + 8) : short === 0 ? data.length - at : short;
		const header = short === 1 ? 16 : 8;
		if (!(size >= header)) break;
		if (latin(data, at + 4, at + 8) === kind) found.push(data.subarray(at + header, at + size));
		at += size;
	}
	return found;
}

const MP4 = /^.{4}(ftyp|moov|mdat|wide|free|skip)/s;

function mp4Seconds(data: Buffer): number | undefined {
	const [header] = boxesIn(data, 'moov').flatMap((movie) => boxesIn(movie, 'mvhd'));
	if (!header) return undefined;
	if (header[0] === 1) return uint64(header, 24) / uint(header, 20, 4);
	const duration = uint(header, 16, 4);
	return duration < 0xffffffff ? duration / uint(header, 12, 4) : undefined;
}

function mp4Size(data: Buffer): PixelSize | undefined {
	const tracks = boxesIn(data, 'moov').flatMap((movie) => boxesIn(movie, 'trak'));
	for (const header of tracks.flatMap((track) => boxesIn(track, 'tkhd'))) {
		const matrix = header[0] === 1 ? 52 : 40;
		const turned = uint(header, matrix, 4) === 0 && uint(header, matrix + 4, 4) > 0;
		const size = pixels(uint(header, matrix + 36, 2), uint(header, matrix + 40, 2), turned);
		if (size) return size;
	}
	return undefined;
}

const RECORDINGS: Table<number> = [
	[/^RIFF.{4}WAVE/s, wavSeconds],
	[/^OggS/, oggSeconds],
	[MP4, mp4Seconds],
	[/^(ID3|\xff[\xe0-\xff])/, mp3Seconds],
];
const VIDEOS: Table<PixelSize> = [[MP4, mp4Size]];

function readerIn<T>(table: Table<T>, data: Buffer): Reader<T> | undefined {
	const head = latin(data, 0, 32);
	return table.find(([beginning]) => beginning.test(head))?.[1];
}

/** Whether the bytes begin as a picture does; also one of a kind whose size is not read here. */
export const isImage = (data: Buffer): boolean => readerIn(IMAGES, data) !== undefined;

/** The size of a PNG, JPEG, GIF, WebP or BMP; undefined for anything else, and where the file does not say it. */
export const imageSizeOf = (data: Buffer): PixelSize | undefined => readerIn(IMAGES, data)?.(data);

/** The size of an MP4 or MOV; undefined for anything else, and where the file does not say it. */
export const videoSizeOf = (data: Buffer): PixelSize | undefined => readerIn(VIDEOS, data)?.(data);

/** How long a WAV, Ogg (Opus, Vorbis), MP3, MP4, M4A or MOV plays, in whole seconds; undefined for anything else. */
export function durationSecondsOf(data: Buffer): number | undefined {
	const seconds = readerIn(RECORDINGS, data)?.(data) ?? 0;
	return seconds > 0 && seconds <= MAX_SECONDS ? Math.max(1, Math.round(seconds)) : undefined;
}
