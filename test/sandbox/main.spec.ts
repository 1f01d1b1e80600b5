/* eslint-disable @n8n/community-nodes/no-restricted-imports, @n8n/community-nodes/no-restricted-globals,
   @n8n/community-nodes/no-dangerous-functions -- starts the command line as a process */
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { closeAll, start } from './support';

const root = join(__dirname, '../..');
let folder = '';

beforeAll(async () => {
	folder = await mkdtemp(join(tmpdir(), 'sandbox-cli-'));
});
afterEach(closeAll);
afterAll(async () => await rm(folder, { recursive: true }));

/** Runs the command; `during` gets the process as soon as it says that it is there. */
async function run(args: string[], during?: (output: string, stop: () => void) => Promise<void>) {
	const child = spawn(join(root, 'node_modules/.bin/tsx'), ['sandbox/main.ts', ...args], {
		cwd: root,
	});
	let output = '';
	let done: Promise<void> | undefined;
	const collect = (chunk: Buffer) => {
		output += chunk.toString();
		if (output.includes('Ctrl+C')) done ??= during?.(output, () => child.kill('SIGINT'));
	};
	child.stdout.on('data', collect);
	child.stderr.on('data', collect);
	const code = await new Promise((resolve) => child.on('exit', resolve));
	await done;
	return { code, output };
}

describe('npm run sandbox', () => {
	it('serves until Ctrl+C and then ends with 0', async () => {
		let status = 0;
		const { code, output } = await run(['--port', '0'], async (text, stop) => {
			const url = /http:\/\/127\.0\.0\.1:\d+/.exec(text)?.[0] ?? '';
			status = (await fetch(`${url}/sandbox/messages`)).status;
			stop();
		});
		expect(status).toBe(200);
		expect(output).toContain('sandbox-bot-token');
		expect(code).toBe(0);
	}, 20_000);

	it('says what to do about a busy port, and ends with 1', async () => {
		const { sandbox } = await start();
		const { port } = new URL(sandbox.url);
		const { code, output } = await run(['--port', port]);
		expect(output).toContain(`Port ${port} on 127.0.0.1 is in use by another program.`);
		expect(output).not.toContain(' at ');
		expect(code).toBe(1);
	}, 20_000);

	it('takes a configuration, and never shows the token in it', async () => {
		const path = join(folder, 'config.json');
		const config = { port: 0, bots: [{ name: 'mine', token: 'my-own-token' }], customers: [] };
		await writeFile(path, JSON.stringify(config));
		const good = await run(['--config', path], async (_text, stop) => stop());
		await writeFile(path, JSON.stringify({ ...config, colour: 'blue' }));
		const unknownField = await run(['--config', path]);
		await writeFile(path, '["my-own-token"]');
		const noObject = await run(['--config', path]);
		expect(noObject.output).toBe('The sandbox configuration does not fit: the whole: Required\n');
		await writeFile(path, `{"token": my-own-token}`);
		const notJson = await run(['--config', path]);
		expect([good.code, unknownField.code, notJson.code]).toEqual([0, 1, 1]);
		expect(unknownField.output).toContain('colour');
		expect(notJson.output).toContain('is not JSON');
		expect(good.output + unknownField.output + notJson.output).not.toContain('my-own-token');
	}, 30_000);
});
