import { parse } from 'yaml';
import { z } from 'zod';
import { existsSync, filesBelow, fs, path, projectRoot } from '../../tools/system';

/* What GitHub reads of this repository: workflows, issue forms, Dependabot. GitHub says nothing of a mistake until it runs. */

const GITHUB = path.join(projectRoot, '.github');

const stepSchema = z
	.object({ uses: z.string(), run: z.string(), env: z.record(z.string()) })
	.partial();
const jobSchema = z.object({
	'timeout-minutes': z.number(),
	permissions: z.record(z.enum(['read', 'write'])).optional(),
	steps: z.array(stepSchema),
});
const workflowSchema = z.object({
	on: z.record(z.unknown()),
	permissions: z.object({ contents: z.literal('read') }).strict(),
	jobs: z.record(jobSchema),
});

const fieldSchema = z.object({
	type: z.enum(['markdown', 'input', 'textarea', 'dropdown', 'checkboxes']),
	id: z.string().optional(),
	attributes: z.object({
		label: z.string().optional(),
		value: z.string().optional(),
		options: z.array(z.union([z.string(), z.object({ label: z.string() })])).optional(),
	}),
});
const formSchema = z.object({
	name: z.string(),
	description: z.string(),
	body: z.array(fieldSchema).min(1),
});

async function read<T extends z.ZodTypeAny>(file: string, schema: T): Promise<z.output<T>> {
	return schema.parse(parse(await fs.readFile(path.join(GITHUB, file), 'utf8')));
}

const namesIn = async (folder: string) => await fs.readdir(path.join(GITHUB, folder));

it('every YAML file can be read, and names nothing twice', async () => {
	const files = (await filesBelow(GITHUB)).filter((file) => /\.ya?ml$/.test(file));
	expect(files.length).toBeGreaterThan(5);
	for (const file of files) expect(parse(await fs.readFile(file, 'utf8'))).toBeInstanceOf(Object);
});

it('every workflow ends in time, may write only where a job says so, and runs no text of others', async () => {
	for (const name of await namesIn('workflows')) {
		const { on, jobs } = await read(path.join('workflows', name), workflowSchema);
		// Code of a stranger's pull request would run with this repository's rights.
		expect(Object.keys(on)).not.toContain('pull_request_target');
		const steps = Object.values(jobs).flatMap((job) => job.steps);
		// An expression inside a script is replaced before the shell reads it, so that a tag's name could be a command.
		expect(steps.filter(({ run }) => run?.includes('${{'))).toEqual([]);
	}
});

it('what publishes cannot write to the repository, and what writes cannot publish', async () => {
	const { jobs } = await read('workflows/publish.yml', workflowSchema);
	const publishing = Object.values(jobs).filter(({ permissions }) => permissions?.['id-token']);
	const writing = Object.values(jobs).filter(
		({ permissions }) => permissions?.contents === 'write',
	);
	expect([publishing.length, writing.length]).toEqual([1, 1]);
	expect(publishing[0]).not.toBe(writing[0]);
	// A dependency that has turned bad runs neither where something may be published nor where something may be written.
	const run = [publishing, writing].flat().flatMap(({ steps }) => steps);
	expect(
		run.filter(({ run, uses }) => /npm ci|npx/.test(run ?? '') || /checkout/.test(uses ?? '')),
	).toEqual([]);
	const files = Object.values(jobs)
		.flatMap(({ steps }) => steps)
		.flatMap(({ run }) => [...(run ?? '').matchAll(/\btools\/\S+\.ts\b/g)].map(([file]) => file));
	expect(files.length).toBeGreaterThan(0);
	expect(files.filter((file) => !existsSync(path.join(projectRoot, file)))).toEqual([]);
});

it('issue forms can be shown: labels where they have to be, ids that occur once', async () => {
	const forms = (await namesIn('ISSUE_TEMPLATE')).filter((name) => name !== 'config.yml');
	expect(forms.length).toBeGreaterThan(1);
	for (const form of forms) {
		const { body } = await read(path.join('ISSUE_TEMPLATE', form), formSchema);
		const ids = body.flatMap(({ id }) => id ?? []);
		expect(new Set(ids).size).toBe(ids.length);
		const incomplete = body.filter(({ type, attributes: { label, value, options } }) =>
			type === 'markdown'
				? value === undefined
				: label === undefined || (/dropdown|checkboxes/.test(type) && !options?.length),
		);
		expect(incomplete).toEqual([]);
		// Whoever reports a mistake is told first what must not be in it.
		expect(body[0]?.attributes.value).toMatch(/no secrets|No token/);
	}
});

it('what they point at in this repository is there', async () => {
	const missing: string[] = [];
	for (const file of await filesBelow(GITHUB)) {
		const text = await fs.readFile(file, 'utf8');
		for (const [, target = ''] of text.matchAll(/\/blob\/main\/([\w./-]+)/g))
			if (!existsSync(path.join(projectRoot, target))) missing.push(`${file}: ${target}`);
	}
	expect(missing).toEqual([]);
});

it('Dependabot leaves alone what goes with the n8n of the tests', async () => {
	const { updates } = await read(
		'dependabot.yml',
		z.object({
			version: z.literal(2),
			updates: z.array(
				z.object({
					'package-ecosystem': z.string(),
					ignore: z.array(z.object({ 'dependency-name': z.string() })).default([]),
				}),
			),
		}),
	);
	expect(updates.map((each) => each['package-ecosystem'])).toEqual(['npm', 'github-actions']);
	const ignored = updates.flatMap(({ ignore }) => ignore.map((each) => each['dependency-name']));
	const { devDependencies } = z
		.object({ devDependencies: z.record(z.string()) })
		.parse(JSON.parse(await fs.readFile(path.join(projectRoot, 'package.json'), 'utf8')));
	expect(ignored).toEqual(expect.arrayContaining(['n8n-workflow', 'n8n-core']));
	expect(ignored.filter((name) => !(name in devDependencies))).toEqual([]);
});
