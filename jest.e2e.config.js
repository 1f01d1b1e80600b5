const base = require('./jest.config');

/** The tests that start a real n8n; one at a time, as each takes both cores of a small machine. */
module.exports = {
	...base,
	testMatch: ['**/*.e2e.ts'],
	testPathIgnorePatterns: [],
	testTimeout: 60_000,
	maxWorkers: 1,
	globalSetup: undefined,
};
