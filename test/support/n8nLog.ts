import { ExecuteContext } from 'n8n-core';
import type { Logger } from 'n8n-workflow';

/* n8n's log, as nodes find it. */

const PREFIX = 'Diyalog audit: ';

/** What nodes have written to n8n's log since it is read. */
export interface ReadLog {
	/** all lines, of every level */
	lines: string[];
	/** the audit records among them */
	records(): Array<Record<string, unknown>>;
	/** from now on each attempt to write throws */
	breaks: boolean;
}

/** What all contexts of n8n have in common, where it holds the logger. */
function contextWithLogger(): { logger: Logger } {
	let found: unknown = ExecuteContext.prototype;
	while (found && !Object.hasOwn(found, 'logger')) found = Object.getPrototypeOf(found);
	return found as { logger: Logger };
}

/** Reads n8n's log in place of printing it, until mocks are restored. */
export function readLog(): ReadLog {
	const log: ReadLog = {
		lines: [],
		breaks: false,
		records: () =>
			log.lines
				.filter((line) => line.startsWith(PREFIX))
				.map((line) => JSON.parse(line.slice(PREFIX.length)) as Record<string, unknown>),
	};
	const write = (line: string): void => {
		if (log.breaks) throw new Error('The log cannot be written');
		log.lines.push(line);
	};
	const logger: Logger = { debug: () => undefined, info: write, warn: write, error: write };
	jest.spyOn(contextWithLogger(), 'logger', 'get').mockReturnValue(logger);
	return log;
}
