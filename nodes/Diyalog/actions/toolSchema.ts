import { NodeConnectionTypes } from 'n8n-workflow';
import type { IExecuteFunctions, INode } from 'n8n-workflow';
import { isObject } from '../input/json';
import { lazily, z } from '../lib/zod';
import { isSameJson, saidOf } from './agentCall';

/* A tool with arguments of its own, as n8n has offered it to the model, and what it leaves out of what the model has said. */

/** A tool of LangChain, with a schema of zod, of whichever version, or of JSON. */
const offeredSchema = lazily(() =>
	z.object({
		name: z.string(),
		schema: z.unknown(),
		metadata: z.object({ sourceNodeName: z.string(), isFromToolkit: z.boolean().catch(false) }),
	}),
);

type Offered = z.output<ReturnType<typeof offeredSchema>>;

/** Whether what runs has every part of what was said. A schema may add defaults. */
function isWhole(said: unknown, runs: unknown): boolean {
	if (Array.isArray(said) && Array.isArray(runs))
		return said.length === runs.length && said.every((each, at) => isWhole(each, runs[at]));
	if (!isObject(said) || !isObject(runs)) return isSameJson(said, runs);
	return Object.entries(said).every(
		([name, value]) => Object.hasOwn(runs, name) && isWhole(value, runs[name]),
	);
}

/** A schema of zod, whose result tells what it leaves out or changes. */
interface ZodSchema {
	safeParseAsync(gets: unknown): Promise<{ success: boolean; data?: unknown }>;
}

const isOfZod = (schema: object): schema is ZodSchema =>
	'safeParseAsync' in schema && typeof schema.safeParseAsync === 'function';

/** Whether zod leaves all that was said of what the tool gets. A tool with one text takes that alone, from `input`. */
async function isKept(schema: ZodSchema, said: object, gets: unknown): Promise<boolean> {
	const { success, data } = await schema.safeParseAsync(gets);
	return success && isWhole(said, isObject(data) ? data : { input: data });
}

/** n8n never picks an argument with such a name. */
const NEVER_PICKED = ['__proto__', 'constructor', 'prototype'];

/** Signs at the beginning of a name. n8n skips some of them there, and keeps others as a part of it. */
const SKIPPED = /^[.[\]"']+/;

/**
 * Whether n8n takes a name for the way to a part of an argument, such as `to.length`, and hands over that part in its place. Before the
 * first name it skips signs.
 */
const isWayInto = (name: string, said: string): boolean =>
	[name, name.replace(SKIPPED, '')].some(
		(way) => way.startsWith(said) && /^[.[\]"']/.test(way.slice(said.length)),
	);

function isPicked(names: readonly string[], said: object): boolean {
	const saidNames = Object.keys(said);
	const others = names.filter((name) => /[.[]/.test(name) && !saidNames.includes(name));
	return (
		saidNames.every((name) => names.includes(name) && !NEVER_PICKED.includes(name)) &&
		!others.some(
			(other) =>
				/\\/.test(other) || saidNames.some((name) => SKIPPED.test(name) || isWayInto(other, name)),
		)
	);
}

/**
 * n8n hands an MCP server, or another source of several tools, what the schema names at its top, whatever is in it. A schema without
 * names it offers as that of an argument `value`, an object, which it then leaves out. Such an argument takes no text and no list.
 */
async function isPassedOn(schema: object, said: object): Promise<boolean> {
	const { shape, properties } = schema as Record<string, unknown>;
	const names = Object.keys(Object(shape ?? properties));
	if (!isPicked(names, said)) return false;
	const value = saidOf(said, 'value');
	if (!isSameJson(names, ['value']) || isSameJson(value ?? {}, {})) return true;
	return !isObject(value) && isOfZod(schema) && (await isKept(schema, said, said));
}

/**
 * Whether the tool runs with all that the model has said.
 *
 * @param gets the object in which n8n hands that to the tool, beside fields of its own: a schema of several forms may take another form of it
 */
export async function runsWithAll(
	{ schema, metadata }: Offered,
	said: object,
	gets: object,
): Promise<boolean> {
	const known = Object(schema) as object;
	return isOfZod(known) && !metadata.isFromToolkit
		? // n8n stores it as JSON while the person is asked.
			await isKept(known, said, JSON.parse(JSON.stringify(gets)))
		: await isPassedOn(known, said);
}

/** The tool as n8n offers it; undefined where it does not. */
export async function offeredTool(
	context: IExecuteFunctions,
	gated: INode,
	toolName: string,
): Promise<Offered | undefined> {
	const connected: unknown = await context.getInputConnectionData(NodeConnectionTypes.AiTool, 0);
	const found = [connected]
		.flat()
		.flatMap((each: unknown): unknown => (isObject(each) && 'tools' in each ? each.tools : each))
		.flatMap((each) => offeredSchema().safeParse(each).data ?? []);
	return found.find(
		({ name, metadata }) => name === toolName && metadata.sourceNodeName === gated.name,
	);
}
