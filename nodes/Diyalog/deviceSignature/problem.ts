/** Why the settings cannot work. Never holds a key or secret. */
export class SettingsProblem extends Error {
	override readonly name = 'SettingsProblem';

	constructor(
		readonly title: string,
		readonly advice: string,
	) {
		super(`${title}. ${advice}`);
	}
}

/** What an action gives, or undefined when it throws. */
export function attempt<T>(action: () => T): T | undefined {
	try {
		return action();
	} catch {
		return undefined;
	}
}
