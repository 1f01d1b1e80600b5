import { deadlineOf } from '../../../../nodes/Diyalog/wait/waitTime';
import type { WaitLimit } from '../../../../nodes/Diyalog/wait/waitTime';

const NOW = new Date('2026-11-23T12:00:00.000Z');

const deadline = (limit: WaitLimit) =>
	deadlineOf(limit, NOW, (text) => new Date(text))?.toISOString();

it.each<[WaitLimit, string | undefined]>([
	[
		{ limitType: 'afterTimeInterval', resumeAmount: 5, resumeUnit: 'minutes' },
		'2026-11-23T12:05:00.000Z',
	],
	[
		{ limitType: 'afterTimeInterval', resumeAmount: 20, resumeUnit: 'seconds' },
		'2026-11-23T12:00:20.000Z',
	],
	[
		{ limitType: 'afterTimeInterval', resumeAmount: 0.5, resumeUnit: 'hours' },
		'2026-11-23T12:30:00.000Z',
	],
	[
		{ limitType: 'afterTimeInterval', resumeAmount: 2, resumeUnit: 'days' },
		'2026-11-25T12:00:00.000Z',
	],
	[
		{ limitType: 'atSpecifiedTime', maxDateAndTime: '2026-11-23T13:00:00Z' },
		'2026-11-23T13:00:00.000Z',
	],
	[{ limitType: 'atSpecifiedTime', maxDateAndTime: '2026-11-23T11:59:59Z' }, undefined],
	[{ limitType: 'atSpecifiedTime', maxDateAndTime: '' }, undefined],
	[{ limitType: 'afterTimeInterval', resumeAmount: 0, resumeUnit: 'minutes' }, undefined],
	[{ limitType: 'afterTimeInterval', resumeAmount: -1, resumeUnit: 'minutes' }, undefined],
	[{ limitType: 'afterTimeInterval', resumeAmount: Number.NaN, resumeUnit: 'minutes' }, undefined],
	[{ limitType: 'afterTimeInterval', resumeAmount: 1e9, resumeUnit: 'days' }, undefined],
])('%j ends at %s', (limit, expected) => {
	expect(deadline(limit)).toBe(expected);
});
