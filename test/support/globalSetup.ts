import { installChromium } from '../../tools/n8n/install';
import { findChromium } from './chromium';
import { print } from '../../tools/system';

/** Provides a browser where the machine has none. Where that fails, the tests that need one are skipped and say so. */
export default async function globalSetup(): Promise<void> {
	if (findChromium()) return;
	await installChromium().catch((error: unknown) =>
		print(`Chromium could not be installed: ${error instanceof Error ? error.message : 'unknown'}`),
	);
}
