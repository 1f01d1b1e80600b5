import type { IBinaryData, IExecuteFunctions } from 'n8n-workflow';
import { fileSizeProblem } from '../../messages/document';
import type { MediaFile } from '../../messages/document';
import { invalidInputError } from '../errors';

/** So many names help; more of them hide the sentence. */
const MAX_NAMES = 10;

/** The file in a binary field; undefined when there is none, for which n8n throws. */
function fileIn(
	{ helpers }: IExecuteFunctions,
	itemIndex: number,
	field: string,
): IBinaryData | undefined {
	try {
		const file = helpers.assertBinaryData(itemIndex, field);
		return typeof file.data === 'string' ? file : undefined;
	} catch {
		return undefined;
	}
}

/** A name as nodes give it. Whoever posts a form to a webhook can choose another: of what that says nothing is repeated. */
const USUAL_NAME = /^[A-Za-z_-]{1,30}\d{0,3}$/;

function namesAdvice(context: IExecuteFunctions, itemIndex: number): string {
	const all = Object.keys(context.getInputData()[itemIndex]?.binary ?? {});
	if (all.length === 0)
		return 'The item has no file. Check that the previous node puts one out, e.g. Read Files from Disk or HTTP Request.';
	const names = all.filter((name) => USUAL_NAME.test(name)).slice(0, MAX_NAMES);
	if (names.length < all.length) names.push('...');
	return `The item has files in: ${names.join(', ')}. Enter one of these names.`;
}

/**
 * Reads the file in a binary field of an item, wherever n8n keeps it. The size is asked for first, so that a file that is too
 * large is never loaded.
 *
 * @param field the name of the binary field
 * @param fieldLabel under which people know the field where they entered that name
 * @throws NodeOperationError when there is no such file, or it is empty or too large
 */
export async function readFile(
	context: IExecuteFunctions,
	itemIndex: number,
	field: string,
	fieldLabel: string,
): Promise<MediaFile> {
	const { helpers } = context;
	const refuse = (problem: string, advice: string) =>
		invalidInputError(context.getNode(), { field: fieldLabel, problem, advice }, itemIndex);
	/** Whatever n8n says about its storage names paths of the server. */
	const stored = async <T>(reading: Promise<T>): Promise<T> => {
		try {
			return await reading;
		} catch {
			throw refuse(
				'names a file that n8n cannot read',
				"Check that the file was not deleted together with an old execution, and that n8n's storage for files works.",
			);
		}
	};

	const file = fileIn(context, itemIndex, field);
	if (!file) throw refuse('names no file of the item', namesAdvice(context, itemIndex));
	const bytes = file.id
		? (await stored(helpers.getBinaryMetadata(file.id))).fileSize
		: Buffer.byteLength(file.data, 'base64');
	const problem = fileSizeProblem(bytes);
	if (problem) throw refuse(problem.problem, problem.advice);
	const data = await stored(helpers.getBinaryDataBuffer(itemIndex, field));
	return { name: file.fileName, mimeType: file.mimeType, data };
}
