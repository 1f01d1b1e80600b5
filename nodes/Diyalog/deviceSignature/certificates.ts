import { X509Certificate } from 'node:crypto';
import { isWholeSequence, keyAsFound } from './derKeys';
import type { FoundKey } from './foundKey';
import { attempt } from './problem';

/*
 * X.509 certificates (RFC 5280). Only the key counts: dates and issuer say nothing about a key that was entered by hand.
 */

/** A certificate, and the key inside. */
export interface FoundCertificate {
	certificate: X509Certificate;
	found: FoundKey;
}

/** @returns undefined where the bytes are no certificate, or one whose key cannot be read */
export function derCertificate(der: Buffer): FoundCertificate | undefined {
	if (!isWholeSequence(der)) return undefined;
	return attempt(() => {
		const certificate = new X509Certificate(der);
		const found = keyAsFound(certificate.publicKey);
		return found && { certificate, found };
	});
}

const isSame = (one: FoundCertificate, other: FoundCertificate): boolean =>
	one.certificate.raw.equals(other.certificate.raw);

/** Names alone do not tell: a certificate that replaces another often has the same. */
const hasIssued = (issuer: FoundCertificate, { certificate }: FoundCertificate): boolean =>
	certificate.checkIssued(issuer.certificate) &&
	attempt(() => certificate.verify(issuer.found.key)) === true;

/**
 * The keys of those that have issued none of the others: of a chain that of the device, of unrelated ones all.
 *
 * @returns none where each has issued another
 */
export const keysOfDevices = (certificates: readonly FoundCertificate[]): FoundKey[] =>
	certificates
		.filter((each) => !certificates.some((other) => !isSame(each, other) && hasIssued(each, other)))
		.map(({ found }) => found);
