import { applyPalette, GIFEncoder, quantize } from 'gifenc';
import { PNG } from 'pngjs';

/** A still of a moving picture. */
export interface Still {
	png: Buffer;
	shownForMs: number;
}

const MAX_COLORS = 128;

/**
 * A GIF of stills that all have the same size. It begins again after the last one.
 *
 * @returns the file's bytes
 */
export function movingPicture(stills: readonly Still[]): Uint8Array {
	const encoder = GIFEncoder();
	for (const { png, shownForMs } of stills) {
		const { data, width, height } = PNG.sync.read(png);
		const pixels = new Uint8Array(data);
		const palette = quantize(pixels, MAX_COLORS);
		encoder.writeFrame(applyPalette(pixels, palette), width, height, {
			palette,
			delay: shownForMs,
		});
	}
	encoder.finish();
	return encoder.bytes();
}
