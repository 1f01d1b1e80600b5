import ts from 'typescript';
import { fs, path, projectRoot } from './system';
import { schemasFromTypes } from './schemasFromTypes';

/* Puts the output schemas beside the built nodes: what the editor offers for dragging before anything has run. */

async function main(): Promise<void> {
	const { config } = ts.readConfigFile(path.join(projectRoot, 'tsconfig.json'), ts.sys.readFile);
	const { options } = ts.parseJsonConfigFileContent(config, ts.sys, projectRoot);
	const types = path.join(projectRoot, 'tools/outputTypes.ts');
	for (const [name, schema] of schemasFromTypes(types, 'OutputTypes', options)) {
		const file = path.join(projectRoot, 'dist/nodes/Diyalog/__schema__', `${name}.json`);
		await fs.mkdir(path.dirname(file), { recursive: true });
		await fs.writeFile(file, JSON.stringify({ ...schema, version: 1 }));
	}
}

void main();
