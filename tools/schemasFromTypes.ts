import ts from 'typescript';

/*
 * JSON Schemas from TypeScript's types: as much of both as items of n8n need.
 */

/** A JSON Schema as n8n's editor reads it: it knows no `anyOf`, and of several types shows the first. */
export interface JsonSchema {
	type: string | string[];
	description?: string;
	enum?: Array<string | null>;
	items?: JsonSchema;
	properties?: Record<string, JsonSchema>;
	required?: string[];
}

const NOTHING = 'null';

/** One field of an object, or of several that may stand in the same place. */
interface Field {
	types: ts.Type[];
	comments: Set<string>;
	/** in how many of the objects it always is */
	certain: number;
}

class Reader {
	constructor(private readonly checker: ts.TypeChecker) {}

	/** The schema of what may be any of these types. */
	schemaOf(given: readonly ts.Type[]): JsonSchema {
		const all = given.flatMap((type) => (type.isUnion() ? partsOf(type) : [type]));
		const types = all.filter(({ flags }) => !(flags & ts.TypeFlags.Undefined));
		const some = types.filter((type) => this.nameOf(type) !== NOTHING);
		const [type, ...others] = new Set(some.map((each) => this.nameOf(each)));
		if (type === undefined || others.length > 0)
			throw new Error('A field has to be of one type, or that and null');
		const mayBeNothing = some.length < types.length;
		return {
			type: mayBeNothing ? [type, NOTHING] : type,
			...(type === 'string' && choiceOf(some, mayBeNothing)),
			...(type === 'array' && { items: this.schemaOf(some.flatMap(this.itemOf)) }),
			...(type === 'object' && this.fieldsOf(some)),
		};
	}

	private nameOf(type: ts.Type): string {
		const { flags } = type;
		if (flags & ts.TypeFlags.Null) return NOTHING;
		if (flags & ts.TypeFlags.StringLike) return 'string';
		if (flags & ts.TypeFlags.BooleanLike) return 'boolean';
		if (flags & ts.TypeFlags.NumberLike) return 'number';
		if (this.checker.isArrayType(type)) return 'array';
		if (flags & (ts.TypeFlags.Object | ts.TypeFlags.NonPrimitive | ts.TypeFlags.Intersection))
			return 'object';
		throw new Error(`There is no schema for the type ${this.checker.typeToString(type)}`);
	}

	private readonly itemOf = (array: ts.Type): readonly ts.Type[] =>
		this.checker.getTypeArguments(array as ts.TypeReference);

	private fieldsOf(objects: readonly ts.Type[]): Pick<JsonSchema, 'properties' | 'required'> {
		const fields = new Map<string, Field>();
		for (const symbol of objects.flatMap((type) => this.checker.getPropertiesOfType(type))) {
			const field = fields.get(symbol.name) ?? { types: [], comments: new Set(), certain: 0 };
			const comment = ts.displayPartsToString(symbol.getDocumentationComment(this.checker));
			if (comment !== '') field.comments.add(comment);
			field.types.push(this.checker.getTypeOfSymbol(symbol));
			if (!(symbol.flags & ts.SymbolFlags.Optional)) field.certain++;
			fields.set(symbol.name, field);
		}
		if (fields.size === 0) return {};
		const properties = [...fields].map(([name, field]): [string, JsonSchema] => {
			const description = [...field.comments].join('; ');
			return [name, { ...this.schemaOf(field.types), ...(description !== '' && { description }) }];
		});
		// The editor unfolds what holds fields, and shows no more than its window has place for.
		properties.sort(([, one], [, other]) => Number(holdsFields(one)) - Number(holdsFields(other)));
		const required = [...fields].filter(([, { certain }]) => certain === objects.length);
		return {
			properties: Object.fromEntries(properties),
			required: required.map(([name]) => name),
		};
	}
}

const holdsFields = ({ type }: JsonSchema): boolean =>
	[type].flat().some((each) => each === 'object' || each === 'array');

/** The parts of a union as they stand in the code: TypeScript has them in the order in which it first met them. */
function partsOf({ types, aliasSymbol }: ts.UnionType): ts.Type[] {
	const written = aliasSymbol?.declarations?.[0]?.getText() ?? '';
	const place = (type: ts.Type) =>
		type.isStringLiteral() ? written.indexOf(`'${type.value}'`) : -1;
	return [...types].sort((one, other) => place(one) - place(other));
}

/** The texts that a field may hold, where not any can stand there. */
function choiceOf(types: readonly ts.Type[], mayBeNothing: boolean): Pick<JsonSchema, 'enum'> {
	const texts = types.flatMap((type) => (type.isStringLiteral() ? [type.value] : []));
	if (texts.length < types.length) return {};
	return { enum: [...new Set(texts), ...(mayBeNothing ? [null] : [])] };
}

/**
 * Reads the fields of an exported interface, each as a schema.
 *
 * @param file which exports it
 * @throws for what has no schema, so that nothing is left out
 */
export function schemasFromTypes(
	file: string,
	name: string,
	options: ts.CompilerOptions,
): Map<string, JsonSchema> {
	const program = ts.createProgram([file], options);
	const checker = program.getTypeChecker();
	const source = program.getSourceFile(file);
	const module = source && checker.getSymbolAtLocation(source);
	const symbol = module && checker.getExportsOfModule(module).find((each) => each.name === name);
	if (!symbol) throw new Error(`${file} does not export ${name}`);
	const reader = new Reader(checker);
	const fields = checker.getPropertiesOfType(checker.getDeclaredTypeOfSymbol(symbol));
	return new Map(
		fields.map((field) => [field.name, reader.schemaOf([checker.getTypeOfSymbol(field)])]),
	);
}
