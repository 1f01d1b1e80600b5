import { lazily, z } from '../lib/zod';
import { JWS_ALGORITHMS, METHODS } from './algorithms';
import type { Algorithms } from './algorithms';
import type { EnteredKeys, KeySource } from './enteredKeys';
import { payloadSignatureFields } from './fields';
import { SettingsProblem } from './problem';

const algorithmOf = (algorithms: Algorithms) =>
	z.string().transform((name, context) => {
		const algorithm = algorithms.get(name);
		if (algorithm) return { name, ...algorithm };
		context.addIssue({ code: 'custom', message: 'unknown' });
		return z.NEVER;
	});

/** What every format has. Which key is needed depends on the algorithm; that it is there is checked when it is read. */
const common = lazily(() => ({
	payloadSignatureKeys: z.enum(['company', 'person']).default('company'),
	payloadSignatureSecret: z.string().catch(''),
	payloadSignaturePreviousSecret: z.string().catch(''),
	payloadSignatureSecretEncoding: z.enum(['text', 'base64', 'hex']).default('text'),
	/** from data also a JWK, a set of those, or a list */
	payloadSignaturePublicKey: z.unknown(),
	payloadSignatureBinding: z
		.union([z.boolean(), z.enum(['true', 'false']).transform((text) => text === 'true')])
		.default(true),
}));

/** What the formats have that no standard rules. */
const plain = lazily(() => ({
	payloadSignatureMethod: algorithmOf(METHODS),
	payloadSignatureEncoding: z.enum(['hex', 'base64']).default('base64'),
	...common(),
}));

/** Fields of a format that is not chosen are not looked at: the editor keeps what was once entered there. */
const settingsSchema = lazily(() =>
	z.discriminatedUnion('payloadSignature', [
		// Absent where the credential is older than the field. Empty is no choice: an expression may have failed to give one.
		z.object({ payloadSignature: z.literal('none').optional() }),
		z.object({
			payloadSignature: z.literal('jws'),
			payloadSignatureAlgorithm: algorithmOf(JWS_ALGORITHMS),
			...common(),
		}),
		z.object({
			payloadSignature: z.literal('separated'),
			payloadSignatureSeparator: z.string().default('.'),
			...plain(),
		}),
		z.object({ payloadSignature: z.literal('signatureOnly'), ...plain() }),
		z.object({ payloadSignature: z.literal('json'), ...plain() }),
	]),
);

type Settings = z.output<ReturnType<typeof settingsSchema>>;
export type FormatSettings = Exclude<Settings, { payloadSignature?: 'none' }>;
export type SettingsOf<Format> = Extract<FormatSettings, { payloadSignature: Format }>;

const isChecked = (settings: Settings): settings is FormatSettings =>
	(settings.payloadSignature ?? 'none') !== 'none';

/** Of which an expression has made nothing. Where the credential is older than the field it is not there at all. */
const isUndecided = (credential: Readonly<Record<string, unknown>>, name: string): boolean =>
	Object.hasOwn(credential, name) && credential[name] === undefined;

/** What they mean where they are not there is no safe answer to a question that an expression has left open. */
const DECIDING = ['payloadSignatureKeys', 'payloadSignatureBinding'];

const impossible = (name: unknown): SettingsProblem => {
	const field = payloadSignatureFields.find((each) => each.name === name);
	return new SettingsProblem(
		`${field?.displayName ?? 'Signed Payloads'} has a value that is not possible`,
		'Set the field anew in the Diyalog API credential.',
	);
};

/**
 * Reads from the credential how the company's app signs payloads.
 *
 * @param credential its fields, of unknown shape
 * @returns undefined when payloads are not to be checked
 * @throws SettingsProblem that names the first field which has no possible value
 */
export function readSettings(credential: Readonly<Record<string, unknown>>) {
	const { data, error } = settingsSchema().safeParse(credential);
	if (!data) throw impossible(error.issues[0]?.path[0]);
	if (!isChecked(data)) return undefined;
	const undecided = DECIDING.find((name) => isUndecided(credential, name));
	if (undecided !== undefined) throw impossible(undecided);
	return data;
}

/** The algorithm that is set. */
export const algorithmIn = (settings: FormatSettings) =>
	settings.payloadSignature === 'jws'
		? settings.payloadSignatureAlgorithm
		: settings.payloadSignatureMethod;

const IN_CREDENTIAL = ' in the Diyalog API credential';

function companySources(settings: FormatSettings): KeySource[] {
	const { payloadSignaturePublicKey, payloadSignatureSecret, payloadSignaturePreviousSecret } =
		settings;
	const place = IN_CREDENTIAL;
	if (algorithmIn(settings).keyField === 'payloadSignaturePublicKey') {
		return [{ name: 'The Public Key', place, entered: payloadSignaturePublicKey }];
	}
	const secret = { name: 'The Signing Secret', place, entered: payloadSignatureSecret };
	if (payloadSignaturePreviousSecret === '') return [secret];
	const entered = payloadSignaturePreviousSecret;
	return [secret, { name: 'The Previous Signing Secret', place, entered }];
}

/**
 * The keys to check with.
 *
 * @param personKeys one person's own, in place of the credential's; undefined where nobody's were given
 * @returns undefined where each person has keys and nobody's were given
 */
export function keysFor(settings: FormatSettings, personKeys: unknown): EnteredKeys | undefined {
	const { payloadSignatureKeys, payloadSignatureSecretEncoding: secretEncoding } = settings;
	if (personKeys !== undefined) {
		return {
			sources: [{ name: "The person's key", place: '', entered: personKeys }],
			secretEncoding,
		};
	}
	if (payloadSignatureKeys === 'person') return undefined;
	return { sources: companySources(settings), secretEncoding };
}
