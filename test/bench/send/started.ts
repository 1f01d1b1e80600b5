import { onInterrupt } from '../../../tools/system';

/** What a benchmark has started, to be ended in reverse order at its end or when it is interrupted. */
export class Started {
	private readonly ends: Array<() => Promise<void>> = [];

	private ending: Promise<unknown> = Promise.resolve();

	private interrupted = false;

	constructor() {
		onInterrupt(() => {
			this.interrupted = true;
			// Who waits for the end gets the error.
			this.endAll().catch(() => undefined);
		});
	}

	/**
	 * Remembers how to end something that was started just now.
	 *
	 * @returns a function that ends it earlier
	 */
	async add(end: () => Promise<void>): Promise<() => Promise<void>> {
		let done = false;
		const endOnce = async () => {
			if (done) return;
			done = true;
			await end();
		};
		this.ends.push(endOnce);
		// It was being started while the rest was ended already.
		if (this.interrupted) await this.endAll();
		if (this.interrupted) throw new Error('Interrupted');
		return endOnce;
	}

	/** Ends everything, each although another may fail, and waits even when it was another call that began to. */
	async endAll(): Promise<void> {
		for (const end of this.ends.splice(0).reverse()) this.ending = this.ending.finally(end);
		await this.ending;
	}
}
