// n8n's logger prints to the console, which would hide the results.
process.env.N8N_LOG_LEVEL = 'silent';
// n8n-core writes its settings there, and to the home folder of whoever runs the tests otherwise.
process.env.N8N_USER_FOLDER = `${__dirname}/.cache/n8n-core`;

/** @type {import('jest').Config} */
module.exports = {
	testEnvironment: 'node',
	roots: ['<rootDir>/test'],
	testMatch: ['**/*.spec.ts'],
	testPathIgnorePatterns: ['<rootDir>/test/e2e/'],
	// Types are checked by `npm run lint`, for all files at once.
	transform: { '^.+\\.ts$': ['ts-jest', { diagnostics: false, tsconfig: 'tsconfig.jest.json' }] },
	testTimeout: 30_000,
	// More than a small machine has cores: many tests wait for real time.
	maxWorkers: 4,
	globalSetup: '<rootDir>/test/support/globalSetup.ts',
	reporters: ['default', '<rootDir>/test/support/summaryReporter.js'],
};
