import { deriveKey, hmacSha256 } from '../lib/crypto';
import { lazily, z } from '../lib/zod';

/*
 * People in an audit record: told apart by those who have their numbers, and by nobody else.
 */

export const auditPersonSchema = lazily(() =>
	z.object({
		kind: z.enum(['customer', 'employee', 'diyalogUser']),
		/** `***` and the last two characters */
		number: z.string(),
		/** keyed, of the number: the same in all records of one person; null where the credential has no bot token */
		fingerprint: z.string().nullable(),
	}),
);

/** Whom a record is about. */
export type AuditPerson = z.output<ReturnType<typeof auditPersonSchema>>;

/** How one person is named: the kind, and the number or id. */
export interface Named {
	kind: AuditPerson['kind'];
	number: string;
}

const MASK = '***';
const SHOWN_CHARACTERS = 2;
/** A shorter number would be half told by what is shown of it. */
const MIN_HIDDEN_CHARACTERS = 3;

/** What is shown of a number. Of what ends like no number, a text that somebody typed for instance, nothing is. */
export function masked(number: string): string {
	if (number.length < SHOWN_CHARACTERS + MIN_HIDDEN_CHARACTERS) return MASK;
	const end = number.slice(-SHOWN_CHARACTERS);
	return /^[A-Za-z0-9]+$/.test(end) ? `${MASK}${end}` : MASK;
}

const FINGERPRINT_CHARACTERS = 16;

/** Makes the fingerprints of a credential. */
export type Fingerprints = (text: string) => string | null;

/**
 * Fingerprints under a key of their own: who reads the log cannot try all numbers.
 *
 * @param botToken of the credential; undefined when it has none, and then there are no fingerprints
 */
export function fingerprintsOf(botToken: string | undefined): Fingerprints {
	if (botToken === undefined || botToken === '') return () => null;
	const key = deriveKey(botToken, 'audit record');
	return (text) => hmacSha256(key, text).toString('hex').slice(0, FINGERPRINT_CHARACTERS);
}

/** A person as records name them. */
export const auditPerson = ({ kind, number }: Named, fingerprintOf: Fingerprints): AuditPerson => ({
	kind,
	number: masked(number),
	fingerprint: fingerprintOf(number),
});

/** As programs make ids: nothing that a text or a piece of JSON has, and no longer than that. */
const ID = /^[\w.:~+/=@#-]{1,512}$/;

/** The id of a message; its fingerprint where it could be a text. */
export const shownId = (
	id: string | null | undefined,
	fingerprintOf: Fingerprints,
): string | null => {
	if (id === undefined || id === null || id === '') return null;
	return ID.test(id) ? id : `fingerprint:${fingerprintOf(id) ?? ''}`;
};
