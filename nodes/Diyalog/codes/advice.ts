import { equalBytes } from '../lib/crypto';
import { openChallenge, transactionFingerprint } from './challenge';
import type { GivenCode, Reason } from './checks';
import type { CodeKeys } from './keys';
import { readTransaction } from './transaction';
import type { Transaction } from './transaction';

/*
 * What the builder of a workflow can do about a code that was not accepted for another reason than its digits. It stands beside
 * the output and in no item, so that it cannot be handed to the person who types. It names fields that the workflow itself
 * gives to Verify, and no value: what was sent stands in the challenge as one fingerprint, so which value differs cannot be
 * told, and is not to be.
 */

/** Each field more is one more fingerprint; whoever gives more is told less. */
const MAX_FIELDS = 20;

function adviceOnChallenge(challenge: unknown): string {
	if (challenge === undefined || challenge === null || challenge === '')
		return 'Challenge is empty. Check its expression, e.g. {{ $json.body.challenge }}. The app must give back the challenge of Send.';
	if (typeof challenge === 'string' && challenge.includes('{{'))
		return 'Challenge is the text of an expression, not its value. Choose Expression above the field, or drag challenge into it. Perhaps the caller has sent such a text.';
	return 'This Challenge does not come from Send with this bot token, or somebody changed it. The app must give it back unchanged.';
}

function adviceOnTransaction(
	isSealed: (transaction: Transaction) => boolean,
	transaction: Transaction | undefined,
): string {
	if (!transaction)
		return 'Transaction cannot be read. One of its fields is too long, is no text, or has invisible characters or an impossible name.';
	if (isSealed([]))
		return 'The code was sent without a Transaction. Take the Transaction out of Verify, or put it into Send.';
	if (transaction.length === 0)
		return 'The code was sent with a Transaction, but Verify has none. Give it the same fields as Send.';
	const extra = transaction
		.slice(0, MAX_FIELDS)
		.find((field) => isSealed(transaction.filter((each) => each !== field)));
	if (extra)
		return `The code was sent without the field ${extra.name} of Transaction. Take it out of Verify, or put it into Send.`;
	return `A value differs from when the code was sent, or a field is missing. Compare each letter of ${transaction
		.slice(0, MAX_FIELDS)
		.map(({ name }) => name)
		.join(', ')} in Verify with Transaction of Send.`;
}

const NOTHING = Buffer.alloc(0);

/**
 * What to do about a code that was not accepted. Whatever the reason is, the same is looked at, as for the reason itself.
 *
 * @param reason why; undefined comes back for reasons that say it themselves
 */
export function adviceOn(keys: CodeKeys, given: GivenCode, reason: Reason): string | undefined {
	const sealed = openChallenge(keys, given.challenge)?.transaction ?? NOTHING;
	const advice = adviceOnTransaction(
		(transaction) => equalBytes(sealed, transactionFingerprint(keys, transaction)),
		readTransaction(given.transaction),
	);
	if (reason === 'otherTransaction') return advice;
	return reason === 'malformed' ? adviceOnChallenge(given.challenge) : undefined;
}
