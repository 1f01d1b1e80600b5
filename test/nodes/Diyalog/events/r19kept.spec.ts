import { KeptCalls } from '../../../../nodes/Diyalog/passOn/keptCalls';
const SECRET = 's'.repeat(32);
it('fuzz kept calls of two processes', () => {
	let seed = 7;
	const rnd = (n: number) => { seed = (seed * 1103515245 + 12345) & 0x7fffffff; return (seed >> 8) % n; };
	let bad: string[] | undefined;
	let doubles = 0;
	for (let round = 0; round < 6_000; round++) {
		let now = 1_800_000_000_000;
		let db = '';
		let count = 0;
		let procs = ['p0', 'p1'].map((id) => ({ id, calls: new KeptCalls(`${id}-0`, now), own: [] as string[] }));
		const added = new Set<string>(), done = new Map<string, number>();
		const log: string[] = [];
		const begin = (p: (typeof procs)[0]) => { p.calls.merge(db, [SECRET], now); p.calls.takeOver(now); };
		const store = (p: (typeof procs)[0]) => { db = p.calls.toText(SECRET); };
		const drain = (p: (typeof procs)[0], most: number) => {
			for (let n = 0; n < most; n++) {
				const call = p.calls.next('t');
				if (!call) return;
				p.calls.settle(call.id, 't');
				done.set(call.id, (done.get(call.id) ?? 0) + 1);
			}
		};
		for (let step = 0; step < 12; step++) {
			now += [100, 1_000, 30_000, 400_000, 700_000][rnd(5)]!;
			const i = rnd(2);
			const p = procs[i]!;
			const what = rnd(6);
			if (what < 3) {
				begin(p);
				const id = `c${count++}`;
				added.add(id);
				p.calls.add({ id, path: 'webhook', body: Buffer.from(id), contentType: 'a', signature: 'x', takenAtMs: now, outcomes: new Map(), isComplete: true }, 't', { isKept: true, isUnderWay: false }, now);
				store(p);
				log.push(`${p.id} add ${id} @${now % 100_000_000}`);
			} else if (what < 4) {
				begin(p);
				drain(p, 1);
				store(p);
				log.push(`${p.id} drain1`);
			} else if (what < 5) {
				begin(p); store(p);
				log.push(`${p.id} call`);
			} else {
				procs[i] = { id: p.id, calls: new KeptCalls(`${p.id}-${step + 1}`, now), own: [] };
				log.push(`${p.id} restart @${now % 100_000_000}`);
			}
		}
		for (let n = 0; n < 4; n++) for (const p of procs) { now += 11 * 60_000; begin(p); drain(p, 100); store(p); }
		const lost = [...added].filter((id) => !done.has(id));
		doubles += [...done.values()].filter((n) => n > 1).length;
		if (lost.length > 0 && (!bad || bad.length > log.length)) bad = [...log, `LOST ${lost.join()}`];
	}
	console.log(JSON.stringify(bad, null, 1), 'doubles', doubles);
});
