import { deriveKey, hmacSha256, isUnderOneOf } from '../lib/crypto';

/*
 * The messageId of a message that an execution waits for. It comes back with the answer and holds all that is needed to
 * find the execution again: n8n's signed resume URL without its host, and a MAC that tells a genuine one from what somebody
 * typed. So nothing has to be stored or looked up.
 *
 *   <prefix>.<execution id>.<node id>.<number>.<seal>
 *
 * In the place of the attempt stands an r where the execution waits for a receipt and not for an answer.
 *
 * The seal is base64url of the turn (12 bytes), n8n's signature (32) and the MAC (8) of everything before it, the prefix
 * included. Each reference has one writing, and what is written in another way is none.
 */

/** Diyalog states no limit for messageIds; this is what fits the columns of most databases. */
export const MAX_MESSAGE_ID_CHARACTERS = 128;

/** Parameter of the resume URL that tells the turns of a loop apart; n8n signs it with the rest. */
export const TURN_PARAMETER = 'turn';
const SIGNATURE_PARAMETER = 'signature';

/** 96 random bits: nobody guesses a turn. */
export const TURN_BYTES = 12;
/** Forgeries can only be tried online, one call at a time. */
const MAC_BYTES = 8;
const MAX_NUMBER = 255;

/** n8n counts executions in 32 bits on PostgreSQL. Room is kept for all, or a prefix that fits today would not one day. */
const EXECUTION_ID_CHARACTERS = 10;

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const UUID_CHARACTERS = 22;
const HEX_SIGNATURE = /^[0-9a-f]{64}$/;

/** Counted from the end: a prefix may hold dots. The seal of 52 bytes has 70 characters. */
const FORM = /^((?:[\w.-]+\.)?([\w-]+)\.([\w-]+)\.(0|[1-9]\d{0,2}|r)\.)([\w-]{70})$/;

const RECEIPT = 'r';

const SEAL_CHARACTERS = 70;

/** What stands before the seal of a reference that waits for a receipt. */
const RECEIPT_PART = `.${RECEIPT}.`;

/** Where an answer belongs: one turn of one waiting node in one execution. */
export interface ResumeReference {
	executionId: string;
	nodeId: string;
	/** 96 random bits as base64url, new for each send */
	turn: string;
	/** how many wrong answers have been given before this message was sent, or to which of several people it went */
	number: number;
	/** the execution waits until the message is delivered; answers to it mean nothing. Absent where it waits for an answer. */
	waitsFor?: 'receipt';
	/** n8n's signature of the resume URL, in hex */
	signature: string;
}

/**
 * Reads what n8n's signed resume URL holds.
 *
 * @param signedUrl what n8n's getSignedResumeUrl returned for `{ turn }`
 * @returns undefined when the same address could not be built again: n8n signs in another way, or an id has characters
 * that mean something in an address
 */
export function readSignedResumeUrl(
	signedUrl: string,
	executionId: string,
	nodeId: string,
): ResumeReference | undefined {
	const { searchParams } = new URL(signedUrl);
	const turn = searchParams.get(TURN_PARAMETER);
	const signature = searchParams.get(SIGNATURE_PARAMETER);
	if (!turn || !signature || !HEX_SIGNATURE.test(signature)) return undefined;
	// n8n takes slashes off both ends of the id when it looks for the node.
	if (nodeId === '' || nodeId.includes('/')) return undefined;
	const reference = { executionId, nodeId, turn, number: 0, signature };
	return signedUrl.endsWith(resumeUrlOf(reference, '')) ? reference : undefined;
}

/**
 * The resume URL on this instance, letter by letter as n8n signed it.
 *
 * @param waitingBase where n8n takes answers for waiting executions, e.g. `https://n8n.example.com/webhook-waiting`
 */
export function resumeUrlOf(
	{ executionId, nodeId, turn, signature }: ResumeReference,
	waitingBase: string,
): string {
	const address = `${waitingBase}/${executionId}/${encodeURIComponent(nodeId)}`;
	return `${address}?${TURN_PARAMETER}=${turn}&${SIGNATURE_PARAMETER}=${signature}`;
}

/** A UUID is 22 characters of base64url. Any other id has a dash before its base64url, which never makes 22. */
function writeNodeId(nodeId: string): string {
	return UUID.test(nodeId)
		? Buffer.from(nodeId.replaceAll('-', ''), 'hex').toString('base64url')
		: `-${Buffer.from(nodeId, 'utf8').toString('base64url')}`;
}

function readNodeId(written: string): string {
	if (written.length !== UUID_CHARACTERS) {
		return Buffer.from(written.slice(1), 'base64url').toString('utf8');
	}
	const hex = Buffer.from(written, 'base64url').toString('hex');
	return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

/** A messageId that has the form of a reference, genuine or not. */
interface Parsed {
	reference: ResumeReference;
	/** everything that the MAC covers */
	covered: Buffer;
	mac: Buffer;
}

function parse(messageId: string): Parsed | undefined {
	if (messageId.length > MAX_MESSAGE_ID_CHARACTERS) return undefined;
	const [, front, executionId, node, number, written] = FORM.exec(messageId) ?? [];
	if (!front || !executionId || !node || !written) return undefined;
	const nodeId = readNodeId(node);
	const seal = Buffer.from(written, 'base64url');
	// Several texts can stand for the same bytes; only the one that is written here counts.
	if (writeNodeId(nodeId) !== node || seal.toString('base64url') !== written) return undefined;
	const waitsForReceipt = number === RECEIPT;
	const count = waitsForReceipt ? 0 : Number(number);
	if (count > MAX_NUMBER) return undefined;
	const turn = seal.subarray(0, TURN_BYTES).toString('base64url');
	const signature = seal.subarray(TURN_BYTES, -MAC_BYTES).toString('hex');
	return {
		reference: {
			executionId,
			nodeId,
			turn,
			number: count,
			...(waitsForReceipt && { waitsFor: 'receipt' as const }),
			signature,
		},
		covered: Buffer.concat([Buffer.from(front, 'ascii'), seal.subarray(0, -MAC_BYTES)]),
		mac: seal.subarray(-MAC_BYTES),
	};
}

const macOf = (covered: Buffer, appSecret: string): Buffer =>
	hmacSha256(deriveKey(appSecret, 'resume reference'), covered).subarray(0, MAC_BYTES);

/**
 * Writes a reference as the messageId to send.
 *
 * @param prefix URL-safe words for people, put in front with a dot; may be empty
 * @param appSecret of the credential that node and trigger share
 * @returns at most {@link MAX_MESSAGE_ID_CHARACTERS} URL-safe characters; undefined when they do not suffice, or when the
 * ids could not be read from them again
 */
export function toMessageId(
	{ executionId, nodeId, turn, number, waitsFor, signature }: ResumeReference,
	prefix: string,
	appSecret: string,
): string | undefined {
	const count = waitsFor === 'receipt' ? RECEIPT : String(Math.min(number, MAX_NUMBER));
	const parts = [...(prefix ? [prefix] : []), executionId, writeNodeId(nodeId), count, ''];
	const front = parts.join('.');
	const sealed = Buffer.concat([Buffer.from(turn, 'base64url'), Buffer.from(signature, 'hex')]);
	const mac = macOf(Buffer.concat([Buffer.from(front), sealed]), appSecret);
	const messageId = front + Buffer.concat([sealed, mac]).toString('base64url');
	const spare = Math.max(0, EXECUTION_ID_CHARACTERS - executionId.length);
	if (messageId.length + spare > MAX_MESSAGE_ID_CHARACTERS) return undefined;
	const read = parse(messageId)?.reference;
	return read?.executionId === executionId && read.nodeId === nodeId ? messageId : undefined;
}

/** Whether a messageId has the form of a reference, whoever made it: forged, or under the secret of another credential. */
export function looksLikeReference(messageId: string): boolean {
	return parse(messageId) !== undefined;
}

/** Whether a messageId may be a reference that waits for a receipt, as far as a glance tells. */
export const mayWaitForReceipt = (messageId: string): boolean =>
	messageId.startsWith(RECEIPT_PART, messageId.length - SEAL_CHARACTERS - RECEIPT_PART.length);

/**
 * Reads a reference from a messageId. What nobody with the App Secret made is none: anybody can type any id.
 *
 * @param appSecrets the credential's App Secret, and while it is being changed the previous one; empty ones do not count
 * @returns undefined when the messageId is that of an ordinary message, or forged
 */
export function fromMessageId(
	messageId: string,
	appSecrets: readonly string[],
): ResumeReference | undefined {
	const parsed = parse(messageId);
	const isGenuine =
		parsed !== undefined &&
		isUnderOneOf(appSecrets, parsed.mac, (secret) => macOf(parsed.covered, secret));
	return isGenuine ? parsed.reference : undefined;
}
