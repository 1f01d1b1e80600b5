import { deriveKey, equalBytes, hmacSha256 } from '../lib/crypto';

/*
 * The messageId of a message that an execution waits for. It comes back with the answer and holds all that is needed to
 * find the execution again: n8n's signed resume URL without its host, in binary, and a MAC that tells a genuine one from
 * what somebody typed. So nothing has to be stored or looked up.
 *
 *   version 1 | flags 1 | attempt 1 | execution id | node id | turn 12 | n8n's signature 32 | MAC 8
 *
 * The ids are 6 and 16 bytes when they are a number and a UUID, as n8n makes them, or a length and UTF-8 otherwise.
 */

/** Diyalog states no limit for messageIds; this is what fits the columns of most databases. */
export const MAX_MESSAGE_ID_CHARACTERS = 128;

/** Parameter of the resume URL that tells the turns of a loop apart; n8n signs it with the rest. */
export const TURN_PARAMETER = 'turn';
const SIGNATURE_PARAMETER = 'signature';

const VERSION = 1;
const NUMERIC_EXECUTION_ID = 1;
const UUID_NODE_ID = 2;
const NUMBER_BYTES = 6;
const UUID_BYTES = 16;
/** 96 random bits: nobody guesses a turn. */
export const TURN_BYTES = 12;
const SIGNATURE_BYTES = 32;
/** Forgeries can only be tried online, one call at a time. */
const MAC_BYTES = 8;
const MAX_ATTEMPT = 255;

const DECIMAL_ID = /^(0|[1-9]\d{0,13})$/;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const HEX_SIGNATURE = /^[0-9a-f]{64}$/;

/** Where an answer belongs: one turn of one waiting node in one execution. */
export interface ResumeReference {
	executionId: string;
	nodeId: string;
	/** 96 random bits as base64url, new for each send */
	turn: string;
	/** how many wrong answers have been given before this message was sent */
	attempt: number;
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
	const reference = { executionId, nodeId, turn, attempt: 0, signature };
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

function lengthAndText(text: string): Buffer {
	const bytes = Buffer.from(text, 'utf8');
	return Buffer.concat([Buffer.from([bytes.length]), bytes]);
}

function numberBytes(decimal: string): Buffer {
	const bytes = Buffer.alloc(NUMBER_BYTES);
	bytes.writeUIntBE(Number(decimal), 0, NUMBER_BYTES);
	return bytes;
}

function payloadOf({ executionId, nodeId, turn, attempt, signature }: ResumeReference): Buffer {
	const numeric = DECIMAL_ID.test(executionId);
	const uuid = UUID.test(nodeId);
	const flags = (numeric ? NUMERIC_EXECUTION_ID : 0) | (uuid ? UUID_NODE_ID : 0);
	return Buffer.concat([
		Buffer.from([VERSION, flags, Math.min(attempt, MAX_ATTEMPT)]),
		numeric ? numberBytes(executionId) : lengthAndText(executionId),
		uuid ? Buffer.from(nodeId.replaceAll('-', ''), 'hex') : lengthAndText(nodeId),
		Buffer.from(turn, 'base64url'),
		Buffer.from(signature, 'hex'),
	]);
}

const macOf = (payload: Buffer, appSecret: string): Buffer =>
	hmacSha256(deriveKey(appSecret, 'resume reference'), payload).subarray(0, MAC_BYTES);

/**
 * Writes a reference as the messageId to send.
 *
 * @param prefix URL-safe words for people, put in front with a dot; may be empty
 * @param appSecret of the credential that node and trigger share
 * @returns at most {@link MAX_MESSAGE_ID_CHARACTERS} URL-safe characters; undefined when the prefix leaves no room
 */
export function toMessageId(
	reference: ResumeReference,
	prefix: string,
	appSecret: string,
): string | undefined {
	const payload = payloadOf(reference);
	const text = Buffer.concat([payload, macOf(payload, appSecret)]).toString('base64url');
	const messageId = prefix === '' ? text : `${prefix}.${text}`;
	return messageId.length > MAX_MESSAGE_ID_CHARACTERS ? undefined : messageId;
}

/** Takes bytes off the front of a buffer; undefined once there are too few. */
class Reader {
	private position = 0;

	constructor(private readonly bytes: Buffer) {}

	take(length: number): Buffer {
		const part = this.bytes.subarray(this.position, this.position + length);
		this.position += length;
		return part;
	}

	text(): string {
		const [length = 0] = this.take(1);
		return this.take(length).toString('utf8');
	}

	get isAtEnd(): boolean {
		return this.position === this.bytes.length;
	}
}

function uuidText(bytes: Buffer): string {
	const hex = bytes.toString('hex');
	const parts = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20)];
	return [...parts, hex.slice(20)].join('-');
}

function parsePayload(payload: Buffer): ResumeReference | undefined {
	const reader = new Reader(payload);
	const [version, flags = 0, attempt = 0] = reader.take(3);
	if (version !== VERSION) return undefined;
	const executionId =
		flags & NUMERIC_EXECUTION_ID
			? String(reader.take(NUMBER_BYTES).readUIntBE(0, NUMBER_BYTES))
			: reader.text();
	const nodeId = flags & UUID_NODE_ID ? uuidText(reader.take(UUID_BYTES)) : reader.text();
	const turn = reader.take(TURN_BYTES).toString('base64url');
	const signature = reader.take(SIGNATURE_BYTES).toString('hex');
	return reader.isAtEnd ? { executionId, nodeId, turn, attempt, signature } : undefined;
}

/** The shortest possible reference: empty ids, with their lengths. */
const MIN_BYTES = 3 + 2 + TURN_BYTES + SIGNATURE_BYTES + MAC_BYTES;

/** The parts of a messageId that has the form of a reference, genuine or not. */
function decode(messageId: string): { payload: Buffer; mac: Buffer } | undefined {
	if (messageId.length > MAX_MESSAGE_ID_CHARACTERS) return undefined;
	const text = messageId.slice(messageId.lastIndexOf('.') + 1);
	const bytes = Buffer.from(text, 'base64url');
	if (bytes.length < MIN_BYTES || bytes.toString('base64url') !== text) return undefined;
	return { payload: bytes.subarray(0, -MAC_BYTES), mac: bytes.subarray(-MAC_BYTES) };
}

/** Whether a messageId has the form of a reference, whoever made it: forged, or under the secret of another credential. */
export function looksLikeReference(messageId: string): boolean {
	const parts = decode(messageId);
	return parts !== undefined && parsePayload(parts.payload) !== undefined;
}

/**
 * Reads a reference from a messageId. What nobody with the App Secret made is none: a customer can type any id.
 *
 * @param appSecrets the credential's App Secret, and while it is being changed the previous one; empty ones do not count
 * @returns undefined when the messageId is that of an ordinary message, or forged
 */
export function fromMessageId(
	messageId: string,
	appSecrets: readonly string[],
): ResumeReference | undefined {
	const parts = decode(messageId);
	const isGenuine =
		parts !== undefined &&
		appSecrets.some(
			(secret) => secret !== '' && equalBytes(parts.mac, macOf(parts.payload, secret)),
		);
	return isGenuine ? parsePayload(parts.payload) : undefined;
}
