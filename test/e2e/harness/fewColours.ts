import { promisify } from 'node:util';
import { deflate } from 'node:zlib';
import type { Browser } from 'playwright-core';
import { z } from 'zod';

/* A browser's pictures are large: all colours there are, though an editor shows few. With a palette they need a third. */

const picturedSchema = z.object({
	width: z.number(),
	height: z.number(),
	/** red, green, blue of each colour, one after the other */
	palette: z.array(z.number()).max(3 * 256),
	/** the colour of each pixel, one character each */
	pixels: z.string(),
});

/** Reads a picture in a page, and rounds its colours to 16 levels of red, green and blue. */
const reading = (png: Buffer) => `(async () => {
	const image = new Image();
	image.src = 'data:image/png;base64,${png.toString('base64')}';
	await image.decode();
	const { width, height } = image;
	const context = new OffscreenCanvas(width, height).getContext('2d');
	context.drawImage(image, 0, 0);
	const { data } = context.getImageData(0, 0, width, height);
	const colours = new Map();
	const rows = [];
	for (let at = 0; at < data.length; ) {
		let row = '';
		for (let x = 0; x < width; x++, at += 4) {
			const colour = [0, 1, 2].map((channel) => Math.round(data[at + channel] / 17) * 17);
			const name = colour.join();
			if (!colours.has(name)) colours.set(name, { index: colours.size, colour });
			row += String.fromCharCode(colours.get(name).index);
		}
		rows.push(row);
	}
	const palette = [...colours.values()].flatMap(({ colour }) => colour);
	return { width, height, palette, pixels: rows.join('') };
})()`;

const CRC = Array.from({ length: 256 }, (_, byte) => {
	let rest = byte;
	for (let bit = 0; bit < 8; bit++) rest = rest & 1 ? (rest >>> 1) ^ 0xedb88320 : rest >>> 1;
	return rest;
});

function chunk(type: string, data: Uint8Array): Buffer {
	const body = Buffer.concat([Buffer.from(type), data]);
	let crc = -1;
	for (const byte of body) crc = (CRC[(crc ^ byte) & 255] ?? 0) ^ (crc >>> 8);
	const framed = Buffer.alloc(body.length + 8);
	framed.writeUInt32BE(data.length, 0);
	body.copy(framed, 4);
	framed.writeInt32BE(~crc, body.length + 4);
	return framed;
}

/** The same PNG with a palette. It must have no more than 256 colours once they are rounded. */
export async function withFewColours(browser: Browser, png: Buffer): Promise<Buffer> {
	const page = await browser.newPage();
	const read: unknown = await page.evaluate(reading(png));
	await page.close();
	const { width, height, palette, pixels } = picturedSchema.parse(read);
	const header = Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 8, 3, 0, 0, 0]);
	header.writeUInt32BE(width, 0);
	header.writeUInt32BE(height, 4);
	const rows = Array.from({ length: height }, (_, y) =>
		Buffer.from(`\0${pixels.slice(y * width, (y + 1) * width)}`, 'latin1'),
	);
	return Buffer.concat([
		Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
		chunk('IHDR', header),
		chunk('PLTE', Uint8Array.from(palette)),
		chunk('IDAT', await promisify(deflate)(Buffer.concat(rows), { level: 9 })),
		chunk('IEND', Buffer.alloc(0)),
	]);
}
