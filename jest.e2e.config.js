const base = require('./jest.config');

/**
 * The tests that start a real n8n; one at a time, as each takes both cores of a small machine. Parts can be run alone
 * by their file's name or by -t: `npm run test:e2e -- queue`.
 */
module.exports = {
	...base,
	testMatch: ['**/*.e2e.ts'],
	testPathIgnorePatterns: [],
	testTimeout: 60_000,
	maxWorkers: 1,
	globalSetup: '<rootDir>/test/e2e/harness/globalSetup.ts',
};
