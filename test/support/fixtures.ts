import { path, projectRoot, readFileSync } from '../../tools/system';

const FOLDER = path.join(projectRoot, 'test', 'fixtures', 'diyalog-docs');

/** An example of Diyalog's documentation, as published. */
export const documentedText = (name: string): string =>
	readFileSync(path.join(FOLDER, name), 'utf8');

/** The same, parsed. */
export const documentedJson = (name: string): unknown => JSON.parse(documentedText(name));
