/** A request to the sandbox that cannot be met: `status` is for its HTTP interface. */
export class SandboxError extends Error {
	constructor(
		readonly status: number,
		text: string,
	) {
		super(text);
	}
}
