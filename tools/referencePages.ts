import type { INodeProperties } from 'n8n-workflow';
import { DiyalogApi } from '../credentials/DiyalogApi.credentials';
import { findOperation } from '../nodes/Diyalog/actions';
import { triggerFields } from '../nodes/Diyalog/trigger/settings';
import { fieldTables, withTables } from './fieldTables';
import type { Section } from './fieldTables';
import { fs, path, projectRoot } from './system';

/* Which fields stand on which page of docs/reference. */

export const REFERENCE_FOLDER = path.join(projectRoot, 'docs', 'reference');

/** A page of the reference. */
export interface ReferencePage {
	/** the name of its file */
	file: string;
	sections: readonly Section[];
	/** the headline of the fields that all sections have in common */
	common?: string;
}

/** The fields of an operation. */
function fieldsOf(resource: string, operation: string): INodeProperties[] {
	const found = findOperation(resource, operation);
	if (!found) throw new Error(`There is no operation ${operation} of ${resource}`);
	return found.fields;
}

const operation = (headline: string, resource: string, name: string): Section => ({
	headline,
	fields: fieldsOf(resource, name),
});

export const REFERENCE_PAGES: readonly ReferencePage[] = [
	{ file: 'credential.md', sections: [{ headline: '', fields: new DiyalogApi().properties }] },
	{ file: 'send.md', sections: [operation('', 'otp', 'send')] },
	{
		file: 'message.md',
		sections: [
			operation('Send', 'message', 'send'),
			operation('Send App Trigger', 'message', 'sendAppTrigger'),
			operation('Send Carousel', 'message', 'sendCarousel'),
			operation('Send Document', 'message', 'sendDocument'),
		],
	},
	{
		file: 'send-and-wait.md',
		common: 'Both resources',
		sections: [
			operation('Resource Message only', 'message', 'sendAndWait'),
			operation('Resource OTP only', 'otp', 'sendAndWait'),
		],
	},
	{ file: 'verify.md', sections: [operation('', 'otp', 'verify')] },
	{ file: 'signed-payloads.md', sections: [operation('', 'signedPayload', 'verify')] },
	{
		file: 'trigger.md',
		sections: [{ headline: '', fields: triggerFields }],
	},
];

/** The text of a page as its file in a folder holds it. */
const readPageIn = async (folder: string, { file }: ReferencePage): Promise<string> =>
	await fs.readFile(path.join(folder, file), 'utf8');

/** The text of a page. */
export const readPage = async (page: ReferencePage): Promise<string> =>
	await readPageIn(REFERENCE_FOLDER, page);

/** The text of a page in a folder, with its tables as the fields are now. */
export const renewedPage = async (folder: string, page: ReferencePage): Promise<string> =>
	withTables(await readPageIn(folder, page), await fieldTables(page.sections, page.common));
