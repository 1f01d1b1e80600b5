import { LastStatuses } from '../../../../nodes/Diyalog/events/lastStatuses';
const names = ['AAAAAAAAAA', 'BBBBBBBBBB', 'CCCCCCCCCC'];
const subject = 'ssssssssss';
it('fuzz', () => {
	let seed = 1;
	const rnd = (n: number) => { seed = (seed * 1103515245 + 12345) & 0x7fffffff; return (seed >> 8) % n; };
	const found = new Map<string, string[]>();
	for (let round = 0; round < 400_000; round++) {
		let statuses = new LastStatuses();
		let list: Array<{ s: string; state: 'open' | 'settled' }> = [];
		const log: string[] = [];
		const openAt = new Set<number>();
		for (let step = 0; step < 11; step++) {
			const open = list.filter((e) => e.state === 'open');
			const what = rnd(10);
			if (what < 5 || open.length === 0) {
				const s = names[rnd(3)]!;
				const last = list.at(-1);
				const expected = last?.s !== s;
				const got = statuses.add({ subject, text: s }, true);
				log.push(`add ${s[0]} -> ${got}`);
				if (got !== expected) {
					const when = !log.includes('restart') ? 'no restart' : log.some((l, i) => l === 'restart' && openAt.has(i)) ? 'restart with open' : 'clean restart';
					const kind = when + ' ' + (expected ? `LOST (last ${last?.state})` : `DOUBLE (last ${last?.state})`);
					if (!found.has(kind) || found.get(kind)!.length > log.length) found.set(kind, [...log]);
					break;
				}
				if (got) list.push({ s, state: 'open' });
			} else if (what < 8) {
				const e = open[rnd(open.length)]!;
				// the same status twice under way cannot be told apart
				if (list.filter((o) => o.s === e.s).length > 1) continue;
				statuses.settle({ subject, text: e.s });
				e.state = 'settled';
				log.push(`settle ${e.s[0]}`);
			} else if (what < 9) {
				const e = open[rnd(open.length)]!;
				if (list.filter((o) => o.s === e.s).length > 1) continue;
				statuses.forget({ subject, text: e.s });
				list = list.filter((o) => o !== e);
				log.push(`forget ${e.s[0]}`);
			} else {
				const text = statuses.toText(), counts = statuses.toCounts();
				statuses = new LastStatuses();
				statuses.merge(text, counts);
				if (list.some((o) => o.state === 'open')) openAt.add(log.length);
				list = list.filter((o) => o.state === 'settled');
				log.push('restart');
			}
		}
	}
	console.log(JSON.stringify([...found], null, 1));
});
