/* eslint-disable @n8n/community-nodes/no-restricted-imports -- only V8 itself knows how much memory is in use */
import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** How much memory is in use by what can still be reached. */
export function heapBytes(): number {
	setFlagsFromString('--expose-gc');
	const collect = runInNewContext('gc') as () => void;
	collect();
	return getHeapStatistics().used_heap_size;
}
