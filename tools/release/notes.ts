import { UsageError } from '../system';

/* What people read about a release on GitHub: its part of CHANGELOG.md. */

/** Continuation of an entry, or of a paragraph: GitHub shows each line break of a release's notes. */
const WRAPPED = /(?<=\S)\n(?: {2,}(?![-*] )|(?![-*#>|`\s]))(?=\S)/g;

/**
 * The notes of a release.
 *
 * @param changelog in the form of Keep a Changelog 1.1.0
 * @param tag of the release, `v` and the version
 * @param version of package.json
 * @throws UsageError when the tag is not that of the version, or nothing is said of it
 */
export function releaseNotes(changelog: string, tag: string, version: string): string {
	if (tag !== `v${version}`)
		throw new UsageError(
			`The tag ${tag} does not fit the version ${version} of package.json. Name the tag v${version}.`,
		);
	const parts = changelog.split(/^## /m);
	const part = parts.find((each) => each.startsWith(`[${version}]`));
	const notes = part?.slice(part.indexOf('\n')).trim() ?? '';
	if (!part?.includes('\n') || notes === '')
		throw new UsageError(
			`CHANGELOG.md says nothing of ${version}. Give what stands under Unreleased the headline ## [${version}] - <date>.`,
		);
	return `${notes.replace(WRAPPED, ' ')}\n`;
}
