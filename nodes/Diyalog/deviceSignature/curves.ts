/** The curves by OpenSSL's names; bytes are those of one coordinate. */
export const CURVES = {
	prime256v1: { label: 'P-256', bytes: 32 },
	secp384r1: { label: 'P-384', bytes: 48 },
	secp521r1: { label: 'P-521', bytes: 66 },
} as const;

export type Curve = keyof typeof CURVES;

export const ALL_CURVES: readonly Curve[] = ['prime256v1', 'secp384r1', 'secp521r1'];
