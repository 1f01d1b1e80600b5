/**
 * The App Secrets under which something may have been made: the present one and, while it is being changed, the previous one.
 * What is no text is no secret.
 *
 * @param credential a decrypted Diyalog API credential
 */
export const appSecretsOf = (credential: Readonly<Record<string, unknown>>): string[] =>
	[credential.appSecret, credential.previousAppSecret]
		.map((secret) => (typeof secret === 'string' ? secret : ''))
		.filter((secret) => secret !== '');
