import { print } from '../../tools/system';

/**
 * A describe block that needs something which not every machine has: skipped where it is missing, with the reason in
 * its name and in the output.
 *
 * @param missing why it cannot run here; undefined when it can
 */
export function describeUnless(missing: string | undefined, name: string, body: () => void): void {
	if (missing === undefined) return describe(name, body);
	print(`Skipped: ${name} (${missing}).`);
	describe.skip(`${name} (${missing})`, body);
}
