import { BinaryDataBlobManager, BinaryDataService, ErrorReporter, ExecuteContext } from 'n8n-core';
import { Workflow, createRunExecutionData } from 'n8n-workflow';
import type {
	IBinaryKeyData,
	INode,
	INodeExecutionData,
	IWorkflowExecuteAdditionalData,
	WorkflowSettingsBinaryMode,
} from 'n8n-workflow';
import { readFile } from '../../../../../nodes/Diyalog/actions/message/binaryFile';
import { MAX_FILE_BYTES } from '../../../../../nodes/Diyalog/messages/document';
import { fs, path, requireCommonJs, temporaryFolder } from '../../../../../tools/system';

/* Files of items, wherever n8n keeps them, with n8n's own helpers and its own store. */

/** A package that n8n-core itself uses: the same copy. */
const ofCore = (name: string): string =>
	require.resolve(name, { paths: [path.dirname(require.resolve('n8n-core'))] });
const { Container }: typeof import('@n8n/di') = requireCommonJs(ofCore('@n8n/di'));
const { FsByteStore }: typeof import('@n8n/blob-storage') = requireCommonJs(
	ofCore('@n8n/blob-storage'),
);

const node: INode = {
	id: '1',
	name: 'Diyalog',
	type: 'n8n-nodes-diyalog.diyalog',
	typeVersion: 1,
	position: [0, 0],
	parameters: { message: 'Secret 4711' },
};

const additionalData = { executionId: '1' } as IWorkflowExecuteAdditionalData;

function contextOf(items: INodeExecutionData[], binaryMode?: WorkflowSettingsBinaryMode) {
	const nodeTypes = { getByName: never, getByNameAndVersion: never, getKnownTypes: () => ({}) };
	const settings = { binaryMode };
	const workflow = new Workflow({
		id: '1',
		nodes: [],
		connections: {},
		active: false,
		nodeTypes,
		settings,
	});
	const data = { main: [items] };
	return new ExecuteContext(
		workflow,
		node,
		additionalData,
		'manual',
		createRunExecutionData(),
		0,
		items,
		data,
		{ node, data, source: null },
		[],
	);
}

function never(): never {
	throw new Error('Not part of this test');
}

const inline = (data: string, fileName?: string): IBinaryKeyData => ({
	data: { data, mimeType: 'text/plain', fileName },
});

const read = async (
	binary: IBinaryKeyData | undefined,
	field = 'data',
	json = {},
	mode?: WorkflowSettingsBinaryMode,
) =>
	await readFile(contextOf([{ json: {} }, { json, binary }], mode), 1, field, 'Input Binary Field');

const service = Container.get(BinaryDataService);
let folder: string;

beforeAll(async () => {
	folder = await temporaryFolder('binary-file');
	const store = new FsByteStore({ storagePath: folder, reportError: () => undefined });
	service.setManager(
		'filesystem-v2',
		new BinaryDataBlobManager(store, Container.get(ErrorReporter)),
	);
});

afterEach(() => jest.restoreAllMocks());

/** A file in n8n's store. */
const stored = async (content: Buffer, fileName: string) =>
	await contextOf([]).helpers.prepareBinaryData(content, fileName, 'text/plain');

const fileOf = (id = ''): string => path.join(folder, id.split(':')[1] ?? '');

describe('a file of an item', () => {
	it('is read from the item itself', async () => {
		expect(await read(inline('VGhhbmtz', 'a.txt'))).toEqual({
			name: 'a.txt',
			mimeType: 'text/plain',
			data: Buffer.from('Thanks'),
		});
	});

	it("is read from n8n's store", async () => {
		const data = await stored(Buffer.from('Thanks'), 'a.txt');
		expect(data.id).toMatch(/^filesystem-v2:/);
		expect(await read({ data })).toEqual({
			name: 'a.txt',
			mimeType: 'text/plain',
			data: Buffer.from('Thanks'),
		});
	});

	it('is read from among the data, where a workflow keeps files there', async () => {
		const file = { data: await stored(Buffer.from('Thanks'), 'a.txt') };
		const { data } = await read(undefined, 'mail.data', { mail: file }, 'combined');
		expect(data.toString()).toBe('Thanks');
	});

	it('is taken up to the largest size', async () => {
		const content = Buffer.alloc(MAX_FILE_BYTES - 1);
		expect((await read(inline(content.toString('base64')))).data).toHaveLength(content.length);
		expect((await read({ data: await stored(content, 'a') })).data).toHaveLength(content.length);
	});

	it('is refused unread when it is too large', async () => {
		const data = await stored(Buffer.from('Thanks'), 'a.txt');
		await fs.truncate(fileOf(data.id), 1_000_000_000);
		await fs.writeFile(`${fileOf(data.id)}.metadata`, JSON.stringify({ fileSize: 1_000_000_000 }));
		const reading = jest.spyOn(service, 'getAsBuffer');
		await expect(read({ data })).rejects.toMatchObject({
			message: 'Input Binary Field names a file that is too large [item 1]',
		});
		const large = 'A'.repeat(Math.ceil(MAX_FILE_BYTES / 3) * 4);
		await expect(read(inline(large))).rejects.toThrow('names a file that is too large');
		expect(reading).not.toHaveBeenCalled();
		await read(inline('VGhhbmtz'));
		expect(reading).toHaveBeenCalledTimes(1);
	});

	it('is refused when it is empty', async () => {
		await expect(read(inline(''))).rejects.toThrow('names a file that is empty [item 1]');
		const data = await stored(Buffer.alloc(0), 'a.txt');
		await expect(read({ data })).rejects.toThrow('names a file that is empty [item 1]');
	});

	it('is refused when it was deleted, without naming paths of the server', async () => {
		for (const ending of ['', '.metadata']) {
			const data = await stored(Buffer.from('Thanks'), 'a.txt');
			await fs.rm(`${fileOf(data.id)}${ending}`);
			const error = await read({ data }).catch((thrown: unknown) => thrown);
			expect(error).toMatchObject({
				message: 'Input Binary Field names a file that n8n cannot read [item 1]',
			});
			expect(JSON.stringify(error)).not.toContain('binary_data');
			expect(JSON.stringify(error)).not.toContain('4711');
		}
	});

	it.each([
		['no file', undefined, 'data', /^The item has no file\. /],
		['another file', { cv: inline('QQ==').data }, 'data', /^The item has files in: cv\. /],
		['a name that every object has', { cv: inline('QQ==').data }, '__proto__', /in: cv\. /],
		['a method that every object has', { cv: inline('QQ==').data }, 'toString', /in: cv\. /],
	] as Array<[string, IBinaryKeyData | undefined, string, RegExp]>)(
		'is refused when there is %s',
		async (_, binary, field, advice) => {
			await expect(read(binary, field)).rejects.toMatchObject({
				message: 'Input Binary Field names no file of the item [item 1]',
				description: expect.stringMatching(advice) as unknown,
			});
		},
	);

	it('names no more fields than a person reads', async () => {
		const many = Object.fromEntries(
			Array.from({ length: 500 }, (_, index) => [
				`file_${index}`,
				{ data: 'QQ==', mimeType: 'a/b' },
			]),
		);
		await expect(read(many)).rejects.toMatchObject({
			description: expect.stringContaining('file_9, .... Enter') as unknown,
		});
	});
});
