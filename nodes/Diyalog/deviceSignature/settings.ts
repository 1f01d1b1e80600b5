import { z } from 'zod/v4';
import { JWS_ALGORITHMS, METHODS } from './algorithms';
import type { Algorithms } from './algorithms';
import { payloadSignatureFields } from './fields';
import { SettingsProblem } from './keys';

const algorithmOf = (algorithms: Algorithms) =>
	z.string().transform((name, context) => {
		const algorithm = algorithms.get(name);
		if (algorithm) return { name, ...algorithm };
		context.addIssue({ code: 'custom', message: 'unknown' });
		return z.NEVER;
	});

/** What every format has. Which key is needed depends on the algorithm; that it is there is checked when it is read. */
const common = {
	payloadSignatureSecret: z.string().catch(''),
	payloadSignaturePublicKey: z.string().catch(''),
	payloadSignatureBinding: z
		.union([z.boolean(), z.enum(['true', 'false']).transform((text) => text === 'true')])
		.default(true),
};

/** Fields of a format that is not chosen are not looked at: the editor keeps what was once entered there. */
const settingsSchema = z.discriminatedUnion('payloadSignature', [
	// Absent where the credential is older than the field. Empty is no choice: an expression may have failed to give one.
	z.object({ payloadSignature: z.literal('none').optional() }),
	z.object({
		payloadSignature: z.literal('jws'),
		payloadSignatureAlgorithm: algorithmOf(JWS_ALGORITHMS),
		...common,
	}),
	z.object({
		payloadSignature: z.literal('separated'),
		payloadSignatureSeparator: z.string().default('.'),
		payloadSignatureMethod: algorithmOf(METHODS),
		payloadSignatureEncoding: z.enum(['hex', 'base64']).default('base64'),
		...common,
	}),
]);

type Settings = z.output<typeof settingsSchema>;
export type FormatSettings = Exclude<Settings, { payloadSignature?: 'none' }>;
export type SettingsOf<Format> = Extract<FormatSettings, { payloadSignature: Format }>;

const isChecked = (settings: Settings): settings is FormatSettings =>
	(settings.payloadSignature ?? 'none') !== 'none';

/**
 * Reads from the credential how the company's app signs payloads.
 *
 * @param credential its fields, of unknown shape
 * @returns undefined when payloads are not to be checked
 * @throws SettingsProblem that names the first field which has no possible value
 */
export function readSettings(credential: Readonly<Record<string, unknown>>) {
	const { data, error } = settingsSchema.safeParse(credential);
	if (data) return isChecked(data) ? data : undefined;
	const name = error.issues[0]?.path[0];
	const field = payloadSignatureFields.find((each) => each.name === name);
	throw new SettingsProblem(
		`${field?.displayName ?? 'Signed Payloads'} has a value that is not possible`,
		'Set the field anew in the Diyalog API credential.',
	);
}
