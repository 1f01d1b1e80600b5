import { REFERENCE_FOLDER, REFERENCE_PAGES, renewedPage } from './referencePages';
import { args, fs, path } from './system';

/* Writes the tables of fields into the pages of docs/reference, or of the folder that is given. */

async function main([folder = REFERENCE_FOLDER]: readonly string[]): Promise<void> {
	for (const page of REFERENCE_PAGES)
		await fs.writeFile(path.join(folder, page.file), await renewedPage(folder, page));
}

void main(args);
