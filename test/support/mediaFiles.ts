import { requireCommonJs } from '../../tools/system';

const { crc32, deflateSync }: typeof import('zlib') = requireCommonJs('node:zlib');

/* Small files of every kind whose size is read, made by hand after their specifications. */

type Part = string | number[] | Buffer;

const bytes = (...parts: Part[]): Buffer =>
	Buffer.concat(
		parts.map((part) =>
			typeof part === 'string' ? Buffer.from(part, 'latin1') : Buffer.from(part),
		),
	);

/** A number of so many bytes, the first one the most significant. */
const be = (value: number, length: number): Buffer => {
	const made = Buffer.alloc(length);
	for (let at = length - 1, rest = value; at >= 0; at -= 1, rest = Math.floor(rest / 256))
		made[at] = rest % 256;
	return made;
};
const le = (value: number, length: number): Buffer => be(value, length).reverse();

function pngChunk(kind: string, data: Buffer): Buffer {
	const named = bytes(kind, data);
	return bytes(be(data.length, 4), named, be(crc32(named), 4));
}

/** A whole PNG, its picture grey. */
export const png = (width: number, height: number): Buffer =>
	bytes(
		[0x89],
		'PNG\r\n\x1a\n',
		pngChunk('IHDR', bytes(be(width, 4), be(height, 4), [8, 0, 0, 0, 0])),
		pngChunk('IDAT', deflateSync(Buffer.alloc((width + 1) * height))),
		pngChunk('IEND', bytes()),
	);

const jpegSegment = (marker: number, data: Buffer): Buffer =>
	bytes([0xff, marker], be(data.length + 2, 2), data);

/** The Exif segment with another entry before the orientation. */
export function exif(orientation: number, isLittle: boolean): Buffer {
	const number = isLittle ? le : be;
	const entry = (tag: number, type: number, value: number) =>
		bytes(number(tag, 2), number(type, 2), number(1, 4), number(value, 2), [0, 0]);
	return jpegSegment(
		0xe1,
		bytes(
			'Exif\0\0',
			isLittle ? 'II' : 'MM',
			number(42, 2),
			number(8, 4),
			number(2, 2),
			entry(0x0100, 3, 7),
			entry(0x0112, 3, orientation),
			number(0, 4),
		),
	);
}

/** A JPEG up to its first scan; with Huffman tables before the frame, as many have them, and fill bytes. */
export const jpeg = (width: number, height: number, frame = 0xc0, ...before: Buffer[]): Buffer =>
	bytes(
		[0xff, 0xd8],
		jpegSegment(0xe0, bytes('JFIF\0', [1, 1, 0, 0, 1, 0, 1, 0, 0])),
		...before,
		jpegSegment(0xc4, Buffer.alloc(19)),
		[0xff, 0xff],
		jpegSegment(frame, bytes([8], be(height, 2), be(width, 2), [1, 1, 0x11, 0])),
		jpegSegment(0xda, bytes([1, 1, 0, 0, 63, 0])),
		[0x12, 0x34, 0xff, 0xd9],
	);

export const gif = (width: number, height: number, version = '89a'): Buffer =>
	bytes('GIF', version, le(width, 2), le(height, 2), [0, 0, 0], ';');

const riff = (kind: string, ...chunks: Buffer[]): Buffer => {
	const content = bytes(kind, ...chunks);
	return bytes('RIFF', le(content.length, 4), content);
};
const riffChunk = (kind: string, data: Buffer, length = data.length): Buffer =>
	bytes(kind, le(length, 4), data, Buffer.alloc(data.length % 2));

export const webp = {
	lossy: (width: number, height: number): Buffer =>
		riff(
			'WEBP',
			riffChunk('VP8 ', bytes([0, 0, 0, 0x9d, 0x01, 0x2a], le(width, 2), le(height, 2), [0, 0])),
		),
	/** the two highest bits of the sizes say how to scale */
	lossyScaled: (width: number, height: number): Buffer =>
		webp.lossy(width + 0x4000, height + 0x8000),
	lossless: (width: number, height: number): Buffer =>
		riff(
			'WEBP',
			// with the mark of transparency, beyond the sizes
			riffChunk('VP8L', bytes([0x2f], le(width - 1 + (height - 1) * 2 ** 14 + 2 ** 28, 4), [0])),
		),
	extended: (width: number, height: number): Buffer =>
		riff('WEBP', riffChunk('VP8X', bytes([0x10, 0, 0, 0], le(width - 1, 3), le(height - 1, 3)))),
};

export const bmp = (width: number, height: number): Buffer =>
	bytes(
		'BM',
		le(62, 4),
		le(0, 4),
		le(54, 4),
		le(40, 4),
		le(width, 4),
		le(height, 4),
		[1, 0, 24, 0],
	);
export const bmpTopDown = (width: number, height: number): Buffer => bmp(width, 2 ** 32 - height);
export const bmpOfOs2 = (width: number, height: number): Buffer =>
	bytes(
		'BM',
		le(30, 4),
		le(0, 4),
		le(26, 4),
		le(12, 4),
		le(width, 2),
		le(height, 2),
		[1, 0, 24, 0],
	);

export const tiff = bytes('II*\0', le(8, 4), le(0, 2), le(0, 4));
export const heic = bytes(be(24, 4), 'ftypheic', be(0, 4), 'mif1heic');

/** 8,000 bytes for each second. @param said the length of the sound as the file says it */
export const wav = (seconds: number, said = seconds * 8000): Buffer =>
	riff(
		'WAVE',
		riffChunk('LIST', bytes('odd')),
		riffChunk('fmt ', bytes(le(1, 2), le(1, 2), le(8000, 4), le(8000, 4), le(1, 2), le(8, 2))),
		riffChunk('data', Buffer.alloc(seconds * 8000), said),
	);

/** @param granule in the unit of the codec; -1 for none */
export const oggPage = (granule: number, content: Buffer): Buffer =>
	bytes(
		'OggS',
		[0, 0],
		granule < 0 ? Buffer.alloc(8, 0xff) : le(granule, 8),
		le(77, 4),
		le(0, 4),
		le(0, 4),
		[1, content.length],
		content,
	);

const opusHead = bytes('OpusHead', [1, 1], le(312, 2), le(16_000, 4), le(0, 2), [0]);
const vorbisHead = bytes('\x01vorbis', le(0, 4), [2], le(44_100, 4), Buffer.alloc(14));

export const ogg = {
	opus: (seconds: number): Buffer =>
		bytes(
			oggPage(0, opusHead),
			oggPage(48_000, Buffer.alloc(60)),
			oggPage(seconds * 48_000 + 312, Buffer.alloc(60)),
			oggPage(-1, Buffer.alloc(60)),
		),
	vorbis: (seconds: number): Buffer =>
		bytes(oggPage(0, vorbisHead), oggPage(seconds * 44_100, Buffer.alloc(60))),
};

/** A frame with the header's last three bytes given, padded to its length. */
const mp3Frame = (header: [number, number, number], length: number): Buffer =>
	bytes([0xff, ...header], Buffer.alloc(length - 4));

export const mp3 = {
	/** MPEG 1, 44.1 kHz; frames of 128 and 320 kbit/s in turn, 1152 samples each */
	variable: (frames: number): Buffer =>
		bytes(
			...Array.from({ length: frames }, (_, index) =>
				index % 2 === 0 ? mp3Frame([0xfb, 0x90, 0], 417) : mp3Frame([0xfb, 0xe2, 0], 1045),
			),
		),
	/** MPEG 2, 16 kHz, 32 kbit/s, 576 samples a frame, as voice is recorded */
	voice: (frames: number): Buffer =>
		bytes(...Array.from({ length: frames }, () => mp3Frame([0xf3, 0x48, 0xc0], 144))),
	/** a tag of 300 bytes with zeros at its end, which holds what looks like sound */
	tagged: (frames: number): Buffer =>
		bytes(
			'ID3',
			[4, 0, 0, 0, 0, 2, 44],
			mp3.voice(2),
			Buffer.alloc(12),
			mp3.variable(frames),
			'TAG',
		),
};

export const box = (kind: string, ...content: Part[]): Buffer => {
	const made = bytes(...content);
	return bytes(be(made.length + 8, 4), kind, made);
};
const longBox = (kind: string, content: Buffer): Buffer =>
	bytes(be(1, 4), kind, be(content.length + 16, 8), content);

export const mvhd = (duration: number, timescale = 600): Buffer =>
	box('mvhd', Buffer.alloc(12), be(timescale, 4), be(duration, 4), Buffer.alloc(80));
const mvhdOf64Bits = (seconds: number): Buffer =>
	box('mvhd', [1, 0, 0, 0], Buffer.alloc(16), be(1000, 4), be(seconds * 1000, 8), Buffer.alloc(80));

const ONE = 0x0001_0000;
const UPRIGHT = [ONE, 0, 0, 0, ONE, 0, 0, 0, 0x4000_0000];
const QUARTER_TURN = [0, ONE, 0, 2 ** 32 - ONE, 0, 0, 0, 0, 0x4000_0000];
const HALF_TURN = [2 ** 32 - ONE, 0, 0, 0, 2 ** 32 - ONE, 0, 0, 0, 0x4000_0000];

export const tkhd = (width: number, height: number, matrix = UPRIGHT, version = 0): Buffer =>
	box(
		'trak',
		box(
			'tkhd',
			[version, 0, 0, 7],
			Buffer.alloc(version === 1 ? 48 : 36),
			...matrix.map((each) => be(each, 4)),
			be(width * ONE, 4),
			be(height * ONE, 4),
		),
	);

const ftyp = box('ftyp', 'isom', be(512, 4), 'isomiso2mp41');

/** The sound's track comes first: it has no size. */
export const mp4 = {
	plain: (width: number, height: number, seconds: number): Buffer =>
		bytes(
			ftyp,
			box('moov', mvhd(seconds * 600), tkhd(0, 0), tkhd(width, height)),
			box('mdat', Buffer.alloc(50)),
		),
	/** as telephones write them: the long data first, the sizes at the end; on its side */
	phone: (width: number, height: number, seconds: number): Buffer =>
		bytes(
			ftyp,
			longBox('mdat', Buffer.alloc(50)),
			box('moov', mvhdOf64Bits(seconds), tkhd(0, 0), tkhd(height, width, QUARTER_TURN, 1)),
		),
	/** an old QuickTime file has no ftyp; upside down */
	quickTime: (width: number, height: number, seconds: number): Buffer =>
		bytes(
			box('wide'),
			box('mdat', Buffer.alloc(50)),
			box('moov', mvhd(seconds * 600), tkhd(width, height, HALF_TURN)),
		),
	sound: (seconds: number): Buffer =>
		bytes(box('ftyp', 'M4A ', be(0, 4)), box('moov', mvhd(seconds * 600), tkhd(0, 0))),
	/** in pieces, for streaming: nothing at the beginning says how long it is */
	ofUnknownLength: bytes(ftyp, box('moov', mvhd(0xffff_ffff), tkhd(32, 16))),
};

export { be, bytes, le };
