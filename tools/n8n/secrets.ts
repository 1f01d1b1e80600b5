import { filesBelow, fs } from '../system';

/**
 * Searches a folder for a secret: as it is, and as it stands in a URL, in JSON and in base64.
 *
 * @returns the files that hold it, and how many were searched
 */
export async function filesHolding(
	folder: string,
	secret: string,
): Promise<{ files: string[]; searched: number }> {
	const needles = [
		secret,
		encodeURIComponent(secret),
		encodeURI(secret),
		JSON.stringify(secret).slice(1, -1),
		Buffer.from(secret).toString('base64').replace(/=+$/, ''),
	];
	const all = await filesBelow(folder);
	const files: string[] = [];
	for (const file of all) {
		const content = await fs.readFile(file);
		if (needles.some((needle) => content.includes(needle))) files.push(file);
	}
	return { files, searched: all.length };
}
