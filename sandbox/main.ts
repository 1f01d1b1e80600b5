/* eslint-disable @n8n/community-nodes/no-restricted-globals, @n8n/community-nodes/no-restricted-imports,
   no-console -- the command line: arguments, exit code and output are its trade. */
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { SHARED_BY_DEFAULT } from './companyApp';
import { DEFAULT_BOT_TOKEN, parseConfig } from './config';
import type { SandboxConfig } from './config';
import { readText } from './host';
import { startSandbox } from './server';
import type { Sandbox } from './server';

const DEFAULT_PORT = 5680;
const usage = 'Usage: npm run sandbox -- [--config <file.json>] [--port <number>]';

async function main(): Promise<void> {
	const { values } = parseArgs({
		options: { config: { type: 'string' }, port: { type: 'string' }, help: { type: 'boolean' } },
	});
	if (values.help) return console.log(usage);
	const config = await readConfig(values.config);
	const port = values.port === undefined ? config.port : Number(values.port);
	const sandbox = await startSandbox({ ...config, port });
	console.log(describeSandbox(sandbox));
	const stop = () => void sandbox.close().then(() => process.exit(0));
	process.once('SIGINT', stop);
	process.once('SIGTERM', stop);
}

function describeSandbox({ url, config, publicKey }: Sandbox): string {
	const { bots, customers, employees, signData } = config;
	const bot = bots.find(({ token }) => token === DEFAULT_BOT_TOKEN);
	const own = 'as in your configuration';
	const one = publicKey ? `public key\n${publicKey.trim()}` : `secret ${SHARED_BY_DEFAULT}`;
	const key = signData.keys === 'perPhone' ? 'a key per phone: see Key beside the phone' : one;
	return `Phones           ${new URL('/sandbox', url).href}

Credential in n8n
  Server URL     ${url}
  Bot Token      ${bot?.token ?? own}
  App Secret     ${bot?.webhook.appSecret ?? own}
Customers        ${customers.map(({ customerNo }) => customerNo).join(', ')}
Employees        ${employees.map(({ employeeNo }) => employeeNo).join(', ')}
Hidden payloads  ${signData.scheme}, ${signData.algorithm}, ${signData.key ? own : key}

Stop with Ctrl+C.`;
}

const fileSchema = z.object({ port: z.unknown().default(DEFAULT_PORT) }).passthrough();

async function readConfig(path: string | undefined): Promise<SandboxConfig> {
	const given = fileSchema.safeParse(path === undefined ? {} : await readJson(path));
	return parseConfig(given.data);
}

async function readJson(path: string): Promise<unknown> {
	const text = await readText(path);
	try {
		const json: unknown = JSON.parse(text);
		return json;
	} catch {
		// The parser's own message quotes the file, which holds tokens.
		throw notJson(path);
	}
}

const notJson = (path: string) => new Error(`${path} is not JSON. Correct it and start again.`);

main().catch((error: unknown) => {
	console.error(error instanceof Error ? error.message : error);
	process.exitCode = 1;
});
