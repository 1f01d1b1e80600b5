import { partOf, withPart } from './page';

const PAGE = '# Benchmarks\n\n## Sending\n\nfigures\n';

it('appends a part that the page does not have', () => {
	const page = withPart(PAGE, 'burst', '## Many at once\n');
	expect(page).toBe(`${PAGE}\n<!-- burst: begin -->\n\n## Many at once\n\n<!-- burst: end -->\n`);
});

it('replaces a part, and leaves what is around it', () => {
	const first = withPart(PAGE, 'burst', 'old $1');
	const page = withPart(`${first}\n## After\n`, 'burst', 'new $& $1');
	expect(page).toContain('new $& $1');
	expect(page).not.toContain('old');
	expect(page.startsWith(PAGE)).toBe(true);
	expect(page.endsWith('## After\n')).toBe(true);
});

it('finds no part where there is none', () => {
	expect(partOf(PAGE, 'burst')).toBe('');
});
