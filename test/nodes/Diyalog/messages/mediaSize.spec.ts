import fc from 'fast-check';
import {
	durationSecondsOf,
	imageSizeOf,
	isImage,
	videoSizeOf,
} from '../../../../nodes/Diyalog/messages/mediaSize';
import {
	be,
	bmp,
	bmpOfOs2,
	bmpTopDown,
	box,
	bytes,
	exif,
	gif,
	heic,
	jpeg,
	le,
	mp3,
	mp4,
	mvhd,
	ogg,
	oggPage,
	png,
	tiff,
	tkhd,
	wav,
	webp,
} from '../../../support/mediaFiles';

const images: Array<[string, Buffer]> = [
	['PNG', png(300, 20)],
	['JPEG', jpeg(300, 20)],
	['progressive JPEG', jpeg(300, 20, 0xc2)],
	['JPEG with an upright picture', jpeg(300, 20, 0xc0, exif(3, true))],
	['JPEG with an orientation that does not exist', jpeg(300, 20, 0xc0, exif(9, true))],
	...[5, 6, 7, 8].flatMap(
		(orientation): Array<[string, Buffer]> => [
			[`JPEG turned by orientation ${orientation}`, jpeg(20, 300, 0xc0, exif(orientation, true))],
			[`the same, big-endian ${orientation}`, jpeg(20, 300, 0xc2, exif(orientation, false))],
		],
	),
	['GIF 89a', gif(300, 20)],
	['GIF 87a', gif(300, 20, '87a')],
	['lossy WebP', webp.lossy(300, 20)],
	['lossy WebP that is scaled', webp.lossyScaled(300, 20)],
	['lossless WebP', webp.lossless(300, 20)],
	['extended WebP', webp.extended(300, 20)],
	['BMP', bmp(300, 20)],
	['BMP from top to bottom', bmpTopDown(300, 20)],
	['BMP of OS/2', bmpOfOs2(300, 20)],
];

const videos: Array<[string, Buffer]> = [
	['MP4', mp4.plain(640, 360, 7)],
	['MP4 of a phone, on its side', mp4.phone(640, 360, 7)],
	['QuickTime, upside down', mp4.quickTime(640, 360, 7)],
];

const recordings: Array<[string, Buffer, number]> = [
	['WAV', wav(3), 3],
	['WAV of unknown length', wav(3, 2 ** 32 - 1), 3],
	['Opus', ogg.opus(61), 61],
	['Vorbis', ogg.vorbis(61), 61],
	['MP3 of variable bit rate', mp3.variable(115), 3],
	['MP3 of a voice', mp3.voice(84), 3],
	['MP3 with a tag', mp3.tagged(115), 3],
	['M4A', mp4.sound(12), 12],
	...videos.map(([name, data]): [string, Buffer, number] => [name, data, 7]),
];

const all = [...images, ...videos, ...recordings].map(([, data]) => data);

const readAll = (data: Buffer) => ({
	image: imageSizeOf(data),
	video: videoSizeOf(data),
	seconds: durationSecondsOf(data),
	isImage: isImage(data),
});

/** Whole numbers from 1, or nothing. */
function expectPlausible({ image, video, seconds }: ReturnType<typeof readAll>): void {
	for (const number of [image?.width, image?.height, video?.width, video?.height, seconds]) {
		if (number === undefined) continue;
		expect(Number.isInteger(number) && number >= 1 && number <= 100_000).toBe(true);
	}
}

describe('the size of a picture', () => {
	it.each(images)('is read from: %s', (_, data) => {
		expect(readAll(data)).toEqual({ image: { width: 300, height: 20 }, isImage: true });
	});

	it.each([
		['TIFF', tiff],
		['HEIC', heic],
	])('is not read from a %s, which is an image all the same', (_, data) => {
		expect(readAll(data)).toEqual({ isImage: true });
	});

	it.each([
		['of nothing', png(300, 20).fill(0, 16, 20)],
		['beyond belief', png(300, 20).fill(0xff, 16, 17)],
		['of a JPEG whose height follows later', jpeg(300, 0)],
		['that ends within the header', png(300, 20).subarray(0, 22)],
	])('is not believed: %s', (_, data) => {
		expect(readAll(data)).toEqual({ isImage: true });
	});

	it.each([
		['a PDF', Buffer.from('%PDF-1.7 ...')],
		['a text', Buffer.from('BMW sells cars, GIFs and RIFFs')],
		['a PNG that was sent as base64', Buffer.from(png(3, 2).toString('base64'))],
		['nothing', Buffer.alloc(0)],
		['a WAV', wav(1)],
	])('is not read from %s, which is no image', (_, data) => {
		expect(imageSizeOf(data)).toBeUndefined();
		expect(isImage(data)).toBe(false);
	});
});

describe('the size of a video', () => {
	it.each(videos)('is read from %s', (_, data) => {
		expect(readAll(data)).toEqual({
			video: { width: 640, height: 360 },
			seconds: 7,
			isImage: false,
		});
	});

	it('is none where there is sound only', () => {
		expect(videoSizeOf(mp4.sound(12))).toBeUndefined();
	});
});

describe('the length of a recording', () => {
	it.each(recordings)('is read from %s', (_, data, seconds) => {
		expect(durationSecondsOf(data)).toBe(seconds);
	});

	it.each([
		[0.1, 1],
		[1.4, 1],
		[1.6, 2],
	])('of %d s is %d whole seconds', (exact, seconds) => {
		expect(durationSecondsOf(box('moov', mvhd(exact * 600)))).toBe(seconds);
	});

	it.each([
		['an MP4 in pieces', mp4.ofUnknownLength],
		['a length of 0', box('moov', mvhd(0))],
		['no unit of time', box('moov', mvhd(600, 0))],
		['more than a day', box('moov', mvhd(600 * 86_401))],
		['a WAV without sound', wav(0)],
		['an Ogg of something else', oggPage(5, Buffer.from('Speex   1.2 and more of the head'))],
		['an Ogg without an end', ogg.opus(3).subarray(0, 60)],
		['a single frame, which may be an accident', mp3.variable(1)],
		['a tag without sound', mp3.tagged(0)],
		['a picture', png(3, 2)],
		['nothing', Buffer.alloc(0)],
	])('is not read from %s', (_, data) => {
		expect(durationSecondsOf(data)).toBeUndefined();
	});
});

describe('whatever the bytes are', () => {
	it('nothing is thrown, and nothing implausible is said: every truncation', () => {
		for (const data of all) {
			const lengths = Math.min(data.length, 1500);
			for (let length = 0; length < lengths; length += 1)
				expectPlausible(readAll(data.subarray(0, length)));
		}
	});

	it('nothing is thrown, and nothing implausible is said: changed bytes', () => {
		const change = fc.tuple(fc.nat(120), fc.constantFrom(0, 1, 0x7f, 0x80, 0xfe, 0xff));
		fc.assert(
			fc.property(
				fc.constantFrom(...all),
				fc.array(change, { minLength: 1, maxLength: 8 }),
				(whole, changes) => {
					const data = Buffer.from(whole);
					for (const [at, value] of changes) if (at < data.length) data[at] = value;
					expectPlausible(readAll(data));
				},
			),
			{ numRuns: 3000 },
		);
	});

	it('nothing is thrown, and nothing implausible is said: any bytes after any beginning', () => {
		fc.assert(
			fc.property(
				fc.constantFrom(...all),
				fc.nat(48),
				fc.uint8Array({ maxLength: 300 }),
				(whole, length, rest) =>
					expectPlausible(readAll(bytes(whole.subarray(0, length), Buffer.from(rest)))),
			),
			{ numRuns: 3000 },
		);
	});

	const filled = (start: Buffer, unit: Buffer, length = 5_000_000) =>
		bytes(start, Buffer.alloc(length, unit));
	// MPEG 2, 24 kHz, 8 kbit/s
	const shortestFrame = bytes([0xff, 0xf3, 0x14, 0], Buffer.alloc(20));

	it.each([
		['1: a JPEG of empty segments', filled(bytes([0xff, 0xd8]), bytes([0xff, 0xe1, 0, 2]))],
		['2: a JPEG of segments that lie', filled(bytes([0xff, 0xd8]), bytes([0xff, 0xe1, 0, 0]))],
		['3: a JPEG of fill bytes', filled(bytes([0xff, 0xd8]), bytes([0xff]))],
		[
			'4: a JPEG of Exif segments that promise 65,535 entries each',
			filled(
				bytes([0xff, 0xd8]),
				bytes([0xff, 0xe1, 0, 26], 'Exif\0\0II*\0', le(8, 4), [0xff, 0xff], Buffer.alloc(8)),
			),
		],
		[
			'5: an Exif segment that points behind itself',
			filled(bytes([0xff, 0xd8]), bytes([0xff, 0xe1, 0, 16], 'Exif\0\0II*\0', le(0xffffff00, 4))),
		],
		['6: an MP4 of empty boxes', filled(Buffer.alloc(0), box('free'))],
		['7: an MP4 of movies', filled(Buffer.alloc(0), box('moov'))],
		['8: a movie of tracks', box('moov', filled(Buffer.alloc(0), box('trak')))],
		['9: a movie of tracks with sizes of 0', box('moov', filled(tkhd(0, 0), tkhd(0, 0)))],
		['10: boxes that end with the file', filled(box('ftyp'), bytes(be(0, 4), 'moov'))],
		['11: boxes of length 8 in 64 bits', filled(box('ftyp'), bytes(be(1, 4), 'moov', be(8, 8)))],
		['12: a WAV of empty chunks', filled(wav(0).subarray(0, 12), bytes('LIST', le(0, 4)))],
		[
			'13: an Ogg of pages without position',
			filled(ogg.opus(1).subarray(0, 60), bytes('OggS', [0, 0], Buffer.alloc(8, 0xff))),
		],
		['14: an Ogg of names of pages', filled(ogg.opus(1).subarray(0, 60), bytes('OggS'))],
		['15: an MP3 of the shortest frames', filled(mp3.voice(1), shortestFrame)],
		['16: an MP3 whose tag is followed by zeros', filled(mp3.tagged(0), bytes([0]))],
		['17: an MP3 of sync words', filled(Buffer.alloc(0), bytes([0xff, 0xfb]))],
		// What goes through 5 MB more than once never ends within the time that a test has.
	])('5 MB are read to their end: attack %s', (_, data) => {
		expectPlausible(readAll(data));
	});
});
