/*
 * To which other Diyalog Triggers of the same n8n a trigger passes its calls on. What is entered names a trigger and is never
 * called: the address is made of n8n's own base and of that name, so that no other server can be meant.
 */

/** So many triggers a call is passed on to at most. */
export const MAX_TARGETS = 10;

/** What Diyalog appends: the last part of a trigger's two addresses. */
export type CallPath = 'webhook' | 'updatemokstatus';

/** Where this n8n takes the calls of triggers. */
export interface OwnAddresses {
	/** in front of `/<id>/webhook`, of published workflows, e.g. https://n8n.example/webhook */
	productionBase: string;
	/** the same of workflows that are listening in the editor */
	testBase: string;
	/** where people see n8n; the editor shows test URLs below it */
	instanceBase: string;
	/** of the trigger that passes on */
	ownId: string | undefined;
}

/** Another trigger of this n8n. */
export interface Target {
	/** the webhook id of the node */
	id: string;
	/** it is called while its workflow is built, and listens for one call at a time */
	isTest: boolean;
}

/** Tells a target from others. */
export const keyOf = ({ id, isTest }: Target): string => (isTest ? `test ${id}` : id);

/** Why an entry is no target: what is wrong, and what to do. */
export interface TargetProblem {
	title: string;
	advice: string;
}

const WEBHOOK_PATH = /^(.*)\/([\w-]{1,100})\/webhook\/?$/;

/** Where test URLs begin: n8n makes them of one of its two addresses, and its editor of the other. */
function testBasesOf({ testBase, instanceBase }: OwnAddresses): string[] {
	const [endpoint = ''] = /[^/]*$/.exec(testBase) ?? [];
	return [testBase, `${instanceBase.replace(/\/$/, '')}/${endpoint}`];
}

/** Written in one way, so that it can be compared; undefined when n8n was given none by its administrator. */
function writtenAlike(base: string): string | undefined {
	if (!URL.canParse(base)) return undefined;
	const { origin, pathname } = new URL(base);
	return origin + pathname;
}

function parse(entry: string): { base: string; id: string } | undefined {
	if (!/^https?:\/\//i.test(entry) || !URL.canParse(entry)) return undefined;
	const { origin, pathname, search, hash, username, password } = new URL(entry);
	const [, base, id] = WEBHOOK_PATH.exec(pathname) ?? [];
	if (base === undefined || id === undefined) return undefined;
	return `${search}${hash}${username}${password}` === '' ? { base: origin + base, id } : undefined;
}

function readTarget({ base, id }: { base: string; id: string }, own: OwnAddresses) {
	const isOne = (bases: readonly string[]) => bases.some((each) => writtenAlike(each) === base);
	if (isOne([own.productionBase])) return { id, isTest: false };
	return isOne(testBasesOf(own)) ? { id, isTest: true } : undefined;
}

/**
 * Reads the entries of the option.
 *
 * @returns the triggers that calls are passed on to, those that may be of this n8n when its own address is as it was, and why
 * other entries name none; never throws for what was entered
 */
export function readTargets(
	entries: readonly string[],
	own: OwnAddresses,
): { targets: Target[]; elsewhere: Target[]; problems: TargetProblem[] } {
	const targets = new Map<string, Target>();
	const elsewhere = new Map<string, Target>();
	const problems: TargetProblem[] = [];
	for (const [index, entry] of entries.entries()) {
		const which = `Address ${index + 1} of Also Pass On To`;
		const named = parse(entry);
		const target = named && readTarget(named, own);
		if (!target) {
			if (named) elsewhere.set(named.id, { id: named.id, isTest: false });
			problems.push({
				title: `${which} is not that of a Diyalog Trigger of this n8n`,
				advice: `Copy the Production URL or the Test URL from the other Diyalog Trigger. It begins with ${own.productionBase}/ or ${own.testBase}/ and ends with /webhook.`,
			});
		} else if (!target.isTest && target.id === own.ownId) {
			problems.push({
				title: `${which} is that of this trigger itself`,
				advice: 'Take it out. The trigger gets its calls anyway.',
			});
		} else if (targets.has(keyOf(target))) {
			problems.push({ title: `${which} stands there twice`, advice: 'Take one of them out.' });
		} else if (targets.size === MAX_TARGETS) {
			problems.push({
				title: `Also Pass On To has more than ${MAX_TARGETS} addresses`,
				advice: `Keep ${MAX_TARGETS} at most. Let one of the workflows behind them start others.`,
			});
			break;
		} else targets.set(keyOf(target), target);
	}
	return { targets: [...targets.values()], elsewhere: [...elsewhere.values()], problems };
}
