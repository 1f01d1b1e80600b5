import { randomBytes } from 'node:crypto';
import { fingerprintsOf } from '../../nodes/Diyalog/audit/people';
import { lineOf } from '../../nodes/Diyalog/audit/record';
import type { AuditEvent, AuditRecord } from '../../nodes/Diyalog/audit/record';
import { env, existsSync, fs, path, projectRoot, run, temporaryFolder } from '../../tools/system';
import { describeUnless } from '../support/skip';

/* What docs/audit.md shows is what the package makes, and what it says to type works. */

const text = async () => await fs.readFile(path.join(projectRoot, 'docs/audit.md'), 'utf8');

const EVENTS: Record<AuditEvent, true> = {
	codeSent: true,
	codeVerified: true,
	asked: true,
	answered: true,
	ended: true,
	payloadVerified: true,
};

const examples = async (): Promise<string[]> =>
	(await text()).match(/^Diyalog audit: \{.*$/gm) ?? [];

const recordIn = (line: string): AuditRecord =>
	JSON.parse(line.slice(line.indexOf('{'))) as AuditRecord;

/** The names of all fields of a value, also of those inside. */
function namesIn(value: unknown): string[] {
	if (typeof value !== 'object' || value === null) return [];
	if (Array.isArray(value)) return value.flatMap(namesIn);
	return Object.entries(value).flatMap(([name, each]) => [name, ...namesIn(each)]);
}

it('there is an example of each event, written as the package writes it', async () => {
	const lines = await examples();
	expect(lines.map((line) => recordIn(line).event).sort()).toEqual(Object.keys(EVENTS).sort());
	for (const line of lines) expect(lineOf(recordIn(line))).toBe(line);
});

it('every field of the examples is explained', async () => {
	const explained = new Set(
		[...(await text()).matchAll(/^\| (`[^|]*) \|/gm)].flatMap(([, cell = '']) =>
			[...cell.matchAll(/[\w]+(?=`)/g)].map(([name]) => name),
		),
	);
	const names = new Set((await examples()).flatMap((line) => namesIn(recordIn(line))));
	expect(names.size).toBeGreaterThan(30);
	expect([...names].filter((name) => !explained.has(name))).toEqual([]);
});

const missing = ['bash', 'jq', 'node'].filter(
	(program) =>
		!(env.PATH ?? '')
			.split(path.delimiter)
			.some((folder) => existsSync(path.join(folder, program))),
);

describeUnless(
	missing.length > 0 ? `there is no ${missing.join(', ')}` : undefined,
	'its commands',
	() => {
		let folder: string;
		let blocks: string[];
		const typed = async (block: string) => await run('bash', ['-c', block], { cwd: folder, env });

		beforeAll(async () => {
			folder = await temporaryFolder('audit');
			blocks = [...(await text()).matchAll(/```sh\n([^`]*)```/g)].map(([, block = '']) => block);
			const lines = await examples();
			const log = ['n8n ready on port 5678', ...lines, 'Diyalog: something else'];
			await fs.writeFile(path.join(folder, 'n8n.log'), `${log.join('\n')}\n`);
			const json = log.map((message) => JSON.stringify({ level: 'info', message, metadata: {} }));
			await fs.writeFile(path.join(folder, 'n8n.json.log'), `${json.join('\n')}\n`);
		});

		it('find codes that were refused, in the text format', async () => {
			expect(JSON.parse(await typed(blocks[0] ?? ''))).toEqual([
				'2026-11-28T15:04:41.377Z',
				'wrongCode',
				'b5f0a3f1a38b88c5',
			]);
		});

		it('take all records out of the JSON format', async () => {
			const found = (await typed(blocks[1] ?? '')).trim().split('\n');
			expect(found.map((line): unknown => JSON.parse(line))).toEqual(
				(await examples()).map(recordIn),
			);
		});

		it('compute the fingerprint of a number', async () => {
			const token = randomBytes(16).toString('base64');
			await fs.writeFile(path.join(folder, 'token.txt'), `${token}\n`);
			expect((await typed(blocks[2] ?? '')).trim()).toBe(fingerprintsOf(token)('70021'));
			expect(blocks).toHaveLength(3);
		});
	},
);
