const base = require('./jest.e2e.config');

/** All tests that start a real n8n, in full; started by `npm run test:soak`. */
module.exports = { ...base, testMatch: ['**/*.e2e.ts', '**/*.soak.ts'] };
