import { cpuMsBetween, median, peakGrowthBytes } from './samples';

const samples = [
	{ atMs: 0, cpuMs: 100, rssBytes: 50 },
	{ atMs: 20, cpuMs: 100, rssBytes: 70 },
	{ atMs: 40, cpuMs: 120, rssBytes: 60 },
	{ atMs: 60, cpuMs: 130, rssBytes: 200 },
	{ atMs: 80, cpuMs: 130, rssBytes: 90 },
];

describe('samples of a process', () => {
	it('takes the CPU time between two samples from the line through them', () => {
		expect(cpuMsBetween(samples, 30, 50)).toBe(15);
	});

	it('takes the CPU time over several samples', () => {
		expect(cpuMsBetween(samples, 20, 80)).toBe(30);
	});

	it('refuses a time that was not watched', () => {
		expect(() => cpuMsBetween(samples, 20, 81)).toThrow('not watched');
	});

	it('counts the growth from the level before, not from an outlier', () => {
		expect(peakGrowthBytes(samples, 60)).toBe(140);
	});

	it.each([
		[[3, 1, 2], 2],
		[[4, 1, 3, 2], 2.5],
	])('has the median of %p', (values, expected) => {
		expect(median(values)).toBe(expected);
	});
});
