/*
 * Loaded into an n8n by NODE_OPTIONS. At each SIGUSR2 it collects all garbage, and writes how many bytes are still in use, those of
 * buffers included, to the file of DIYALOG_HEAP_FILE. What a process takes of the machine says little: V8 keeps what it has collected.
 */
const { renameSync, writeFileSync } = require('node:fs');
const { setFlagsFromString } = require('node:v8');
const { runInNewContext } = require('node:vm');

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc');

process.on('SIGUSR2', () => {
	collectGarbage();
	const file = process.env.DIYALOG_HEAP_FILE;
	const { heapUsed, external } = process.memoryUsage();
	writeFileSync(`${file}.part`, String(heapUsed + external));
	renameSync(`${file}.part`, file);
});
