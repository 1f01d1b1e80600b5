import { env } from '../../../tools/system';

/** Set by `npm run test:soak`: everything in full, which takes hours; otherwise what fits into every change's check. */
export const IN_FULL = 'DIYALOG_IN_FULL';

/** How much is done: the first in every change's check, the second when all of it is asked for. */
export const extent = <T>(quick: T, full: T): T => (env[IN_FULL] === '1' ? full : quick);
