import { installN8n, n8nName, N8N_VERSION } from '../../tools/n8n/install';
import { N8nProcess } from '../../tools/n8n/process';
import {
	env,
	existsSync,
	freePort,
	fs,
	path,
	temporaryFolder,
	UsageError,
} from '../../tools/system';

/* An n8n that somebody else has installed: DIYALOG_N8N_BIN. */

const before = { ...env };
let folder: string;
let cache: string;

beforeEach(async () => {
	folder = await temporaryFolder('own-n8n');
	cache = path.join(folder, 'cache');
	env.DIYALOG_CACHE_DIR = cache;
	delete env.DIYALOG_N8N_VERSION;
});

afterEach(async () => {
	for (const name of ['DIYALOG_CACHE_DIR', 'DIYALOG_N8N_BIN', 'DIYALOG_N8N_VERSION']) {
		if (before[name] === undefined) delete env[name];
		else env[name] = before[name];
	}
	await fs.rm(folder, { recursive: true, force: true });
});

/** Serves what an n8n serves that is ready, and writes down how it was started. */
const READY = `#!/usr/bin/env node
const { writeFileSync } = require('node:fs');
writeFileSync('started.json', JSON.stringify(process.argv.slice(2)));
require('node:http')
	.createServer((request, response) => response.end('<html></html>'))
	.listen(Number(process.env.N8N_PORT), '127.0.0.1');
`;

async function program(mode = 0o755): Promise<string> {
	const file = path.join(folder, 'n8n');
	await fs.writeFile(file, READY, { mode });
	return file;
}

it('is started as it is, by the program that its first line names, and nothing is installed', async () => {
	env.DIYALOG_N8N_BIN = path.relative('.', await program());
	const installed = await installN8n();
	expect(installed).toEqual({ nodeBin: '', program: [path.join(folder, 'n8n')] });
	expect(n8nName()).toBe(env.DIYALOG_N8N_BIN);
	const port = await freePort();
	const n8n = new N8nProcess({
		role: 'main',
		name: 'n8n',
		installed,
		userFolder: folder,
		port,
		env: { ...env, N8N_PORT: String(port) },
	});
	await n8n.boot();
	await n8n.stop();
	expect(await fs.readFile(path.join(folder, 'started.json'), 'utf8')).toBe('["start"]');
	expect(existsSync(cache)).toBe(false);
});

it.each([
	['a path that does not exist', async () => path.join(folder, 'gone'), 'which does not exist'],
	['a folder', async () => folder, 'which is no program'],
	['a file that may not be run', async () => await program(0o644), 'which is no program'],
])('refuses %s with a sentence, and installs nothing in its place', async (_, file, words) => {
	env.DIYALOG_N8N_BIN = await file();
	const installing = installN8n();
	await expect(installing).rejects.toThrow(UsageError);
	await expect(installing).rejects.toThrow(words);
	expect(existsSync(cache)).toBe(false);
});

it('refuses another release beside it', async () => {
	env.DIYALOG_N8N_BIN = await program();
	await expect(installN8n('2.0.0')).rejects.toThrow('n8n 2.0.0 is asked for by its version');
	await expect(installN8n(N8N_VERSION)).resolves.toMatchObject({ nodeBin: '' });
});

it('does without where the variable is empty', async () => {
	env.DIYALOG_N8N_BIN = '';
	expect(n8nName()).toBe(N8N_VERSION);
});
