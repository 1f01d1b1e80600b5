/* eslint-disable @n8n/community-nodes/no-restricted-globals, @n8n/community-nodes/no-restricted-imports --
   the only file of the sandbox, besides its command line, that touches Node itself: timers and files. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Runs the task once after so many milliseconds; the returned function calls it off. */
export function later(delayMs: number, task: () => void): () => void {
	const timer = setTimeout(task, delayMs);
	return () => clearTimeout(timer);
}

/** Resolves after so many milliseconds, or at once when the signal fires. */
export async function pause(delayMs: number, signal: AbortSignal): Promise<void> {
	if (delayMs <= 0 || signal.aborted) return;
	await new Promise<void>((resolve) => {
		const callOff = later(delayMs, () => {
			signal.removeEventListener('abort', stop);
			resolve();
		});
		const stop = () => {
			callOff();
			resolve();
		};
		signal.addEventListener('abort', stop, { once: true });
	});
}

export async function readPageFile(name: string): Promise<string> {
	return await readText(join(__dirname, 'page', name));
}

export async function readText(path: string): Promise<string> {
	return await readFile(path, 'utf8');
}
