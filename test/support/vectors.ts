/* eslint-disable @n8n/community-nodes/no-restricted-imports -- reads what is packed; nothing here is published */
import { gunzipSync } from 'node:zlib';
import { fs, path, projectRoot } from '../../tools/system';

/**
 * Reads published vectors as JSON.
 *
 * @param file below test/vectors; unpacked when its name ends with .gz
 */
export async function readVectors<T>(file: string): Promise<T> {
	const bytes = await fs.readFile(path.join(projectRoot, 'test/vectors', file));
	return JSON.parse((file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8'));
}
