import { X509Certificate } from 'node:crypto';
import { isWholeSequence, keyAsFound } from './derKeys';
import type { FoundKey } from './foundKey';
import { isCostly } from './keyStrength';
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

/** Names alone do not tell: a certificate that replaces another often has the same. */
const isNamedIssuer = (issuer: FoundCertificate, { certificate }: FoundCertificate): boolean =>
	!isCostly(issuer.found.key) && certificate.checkIssued(issuer.certificate);

const hasSigned = (issuer: FoundCertificate, { certificate }: FoundCertificate): boolean =>
	attempt(() => certificate.verify(issuer.found.key)) === true;

/** How many signatures are checked: of 20 certificates each has signed itself, or one other with its name has. */
const MAX_CHECKS = 60;

/**
 * Those that have issued none of the others: of a chain that of the device, of unrelated ones all. One of an authority, which says so
 * itself, never is a device's beside others: of a chain in which some are missing it would be left over.
 *
 * @returns why it cannot be told, where nothing is a device's for certain
 */
export function ofDevices<T extends FoundCertificate>(certificates: readonly T[]): T[] | string {
	if (certificates.length <= 1) return [...certificates];
	const others = certificates.filter(({ certificate }) => !certificate.ca);
	if (others.length === 0) return 'certificates of authorities, without that of a device';
	let checks = 0;
	const issuers = new Set<T>();
	for (const each of others) {
		const named = others.filter((other) => isNamedIssuer(other, each));
		// Who has signed itself was issued by nobody else.
		const inOrder = named.includes(each) ? new Set([each, ...named]) : new Set(named);
		for (const issuer of inOrder) {
			checks += 1;
			if (checks > MAX_CHECKS) return 'certificates that have the names of one another';
			if (!hasSigned(issuer, each)) continue;
			if (issuer === each) break;
			issuers.add(issuer);
		}
	}
	const left = others.filter((each) => !issuers.has(each));
	return left.length > 0 ? left : 'certificates that have issued one another in a circle';
}
