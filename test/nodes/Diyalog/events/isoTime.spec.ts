import fc from 'fast-check';
import { isoTime } from '../../../../nodes/Diyalog/events/isoTime';

const MAX_EPOCH_MS = 8.64e15;

it('writes every time as Date does', () => {
	const anyTime = fc.integer({ min: -MAX_EPOCH_MS, max: MAX_EPOCH_MS });
	const near = fc.integer({ min: -200_000, max: 200_000 });
	fc.assert(
		fc.property(fc.oneof(anyTime, near), (epochMs) => {
			expect(isoTime(epochMs)).toBe(new Date(epochMs).toISOString());
		}),
		{ numRuns: 2_000 },
	);
});

it.each([0, -1, 59_999, 60_000, MAX_EPOCH_MS, -MAX_EPOCH_MS])(
	'writes %p as Date does',
	(epochMs) => {
		expect(isoTime(epochMs)).toBe(new Date(epochMs).toISOString());
	},
);
