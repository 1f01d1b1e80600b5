import { randomBytes } from 'node:crypto';
import type { People, Person } from './people';
import { SandboxError } from './sandboxError';
import { freshKey, publicKeyOf, readKey, signData } from './signData';
import type { Claims, PublicKey, SignDataConfig, SigningKey } from './signData';

/** The secret of all phones, unless the configuration says otherwise: public, so good for nothing else. */
export const SHARED_BY_DEFAULT = 'sandbox-signing-secret-of-64-characters-the-length-hs512-wants--';

/** Who signs: the phone itself, somebody else's phone, or a key that is on no phone. */
export type Signer = 'genuine' | 'otherPhone' | 'forged';

/** What verifies a phone's signatures: a public key, or a secret unless it is the configuration's. */
export interface PhoneKey extends Partial<PublicKey> {
	scheme: SignDataConfig['scheme'];
	algorithm: SignDataConfig['algorithm'];
	/** Whether it is the key of all phones. */
	isShared: boolean;
	/** With HS; made by the sandbox. */
	secret?: string;
}

/** The company's app on all phones. It holds their keys for as long as the sandbox runs, and signs with them. */
export class CompanyApp {
	/** Of all phones, as PEM; absent with HS and where each phone has its own. */
	readonly publicKey?: string;
	private readonly shared?: SigningKey;
	private readonly own = new Map<string, SigningKey>();
	private readonly configured = new Set<SigningKey>();
	private strangersKey?: SigningKey;

	constructor(
		private readonly config: SignDataConfig,
		private readonly people: People,
	) {
		const { algorithm, keys, key, phoneKeys } = config;
		for (const [index, { key: text, ...named }] of phoneKeys.entries()) {
			const field = `signData.phoneKeys.${index}`;
			const person = people.find(named);
			if (!person) throw new Error(`${field} names nobody who has a phone.`);
			if (this.own.has(person.userId)) throw new Error(`${field}: the phone has a key already.`);
			this.own.set(person.userId, this.given(text, `${field}.key`));
		}
		if (keys === 'perPhone') return;
		this.shared = key ? this.given(key, 'signData.key') : freshKey(algorithm, SHARED_BY_DEFAULT);
		this.publicKey = publicKeyOf(this.shared)?.pem;
	}

	get hasKeyPerPhone(): boolean {
		return this.config.keys === 'perPhone';
	}

	/** The claims of the person's phone, signed by the signer. */
	signData(person: Person, claims: Claims, signer: Signer): string {
		return signData(this.config, claims, this.keyOf(person, signer));
	}

	phoneKey(person: Person): PhoneKey {
		const { scheme, algorithm } = this.config;
		const key = this.keyOf(person, 'genuine');
		const isOwnSecret = typeof key === 'string' && !this.configured.has(key);
		return {
			scheme,
			algorithm,
			isShared: !this.hasKeyPerPhone,
			...publicKeyOf(key),
			...(isOwnSecret && { secret: key }),
		};
	}

	private keyOf(person: Person, signer: Signer): SigningKey {
		const { algorithm } = this.config;
		if (signer === 'forged') return (this.strangersKey ??= freshKey(algorithm, newSecret()));
		if (signer === 'genuine') return this.shared ?? this.ownKeyOf(person);
		const other = this.people.all.find(({ userId }) => userId !== person.userId);
		if (!other) throw new SandboxError(409, 'There is no other phone, so none that could sign.');
		return this.ownKeyOf(other);
	}

	private ownKeyOf({ userId }: Person): SigningKey {
		const key = this.own.get(userId) ?? freshKey(this.config.algorithm, newSecret());
		this.own.set(userId, key);
		return key;
	}

	private given(text: string, field: string): SigningKey {
		const key = readKey(this.config.algorithm, text, field);
		this.configured.add(key);
		return key;
	}
}

function newSecret(): string {
	return randomBytes(64).toString('hex');
}
