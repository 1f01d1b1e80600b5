/* eslint-disable @n8n/community-nodes/no-restricted-globals, @n8n/community-nodes/no-restricted-imports,
   no-console -- looks for a program of this machine, and says so where there is none */
import { accessSync, constants } from 'node:fs';
import { chromium } from 'playwright-core';
import type { Browser } from 'playwright-core';
import { cachedChromium } from '../../tools/n8n/install';

const usualPlaces = [
	'/usr/bin/chromium',
	'/usr/bin/chromium-browser',
	'/usr/bin/google-chrome',
	'/usr/bin/google-chrome-stable',
	'/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
	'/Applications/Chromium.app/Contents/MacOS/Chromium',
];

const launchArguments = [
	'--headless',
	'--no-sandbox',
	'--disable-gpu',
	'--disable-quic',
	'--no-first-run',
	'--disable-background-networking',
	'--disable-component-update',
	'--disable-sync',
];

/** The Chromium for browser tests: CHROMIUM_PATH, or else one of the usual places, or that of the cache. */
export function findChromium(): string | undefined {
	const given = process.env.CHROMIUM_PATH;
	return (given ? [given] : [...usualPlaces, cachedChromium()]).find(isExecutable);
}

/** A describe block that needs a browser: skipped, with the reason, where there is none. */
export function describeWithChromium(name: string, body: () => void): void {
	if (findChromium()) return describe(name, body);
	const reason = 'no Chromium found; install one, or set CHROMIUM_PATH to it';
	console.warn(`Skipped: ${name} (${reason}).`);
	describe.skip(`${name} (${reason})`, body);
}

export async function launchChromium(executablePath = findChromium()): Promise<Browser> {
	return await chromium.launch({ executablePath, args: launchArguments });
}

function isExecutable(path: string): boolean {
	try {
		accessSync(path, constants.X_OK);
		return true;
	} catch {
		return false;
	}
}
