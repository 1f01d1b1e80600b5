import { findChromium } from '../../support/chromium';
import { print } from '../../../tools/system';
import { installChromium, installN8n } from '../../../tools/n8n/install';
import { packPackage } from '../../../tools/n8n/package';

/** Provides once what all parts need: n8n, this package packed, and a browser where the machine has none. */
export default async function globalSetup(): Promise<void> {
	await installN8n();
	if (!findChromium()) {
		await installChromium().catch((error: unknown) =>
			print(`No Chromium: ${error instanceof Error ? error.message : 'unknown'}`),
		);
	}
	await packPackage();
}
