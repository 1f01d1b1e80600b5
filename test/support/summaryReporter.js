/** Closes a run with one plain line that other programs can read. */
module.exports = class SummaryReporter {
	onRunComplete(
		_contexts,
		{ numPassedTests, numFailedTests, numPendingTests, numRuntimeErrorTestSuites },
	) {
		const failed = numFailedTests + numRuntimeErrorTestSuites;
		process.stdout.write(
			`${numPassedTests} passed, ${failed} failed, ${numPendingTests} skipped\n`,
		);
	}
};
