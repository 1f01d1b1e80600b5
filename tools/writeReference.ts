import { REFERENCE_FOLDER, REFERENCE_PAGES, renewedPage } from './referencePages';
import { fs, path } from './system';

/* Writes the tables of fields into the pages of docs/reference. */

async function main(): Promise<void> {
	for (const page of REFERENCE_PAGES)
		await fs.writeFile(path.join(REFERENCE_FOLDER, page.file), await renewedPage(page));
}

void main();
