import type { Role } from './site';

/** What one piece of work costs. */
export interface Cost {
	perSecond: number;
	/** CPU of each kind of process for one, in milliseconds */
	cpuMs: Partial<Record<Role, number>>;
}

/** The pieces, in the order in which they are done. */
export const JOB_LABELS = {
	codeSent: 'A code is made and sent',
	codeVerified: 'A code is verified',
	questionSent: 'A question is sent, and waits',
	questionAnswered: 'A tap continues it',
} as const;

export type Job = keyof typeof JOB_LABELS;
