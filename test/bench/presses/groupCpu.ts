import { fs } from '../../../tools/system';

/** USER_HZ, the unit of the times in /proc: 100 on every Linux that Node runs on. */
const TICK_MS = 10;

/** Of what stands behind the program's name in /proc/<pid>/stat. */
const FIELD = { group: 2, utime: 11, stime: 12 };

async function statOf(pid: string): Promise<string[]> {
	// It may have ended meanwhile.
	const stat = await fs.readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
	// The fields are counted from behind the program's name, which may hold blanks and brackets itself.
	return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

/**
 * The CPU time in milliseconds that all living processes of a group have used: n8n, and the task runner that runs the code
 * of Code nodes.
 *
 * @param pid the process that leads the group
 */
export async function groupCpuMs(pid: number): Promise<number> {
	const pids = (await fs.readdir('/proc')).filter((name) => /^\d+$/.test(name));
	const stats = await Promise.all(pids.map(statOf));
	return stats
		.filter((fields) => Number(fields[FIELD.group]) === pid)
		.map((fields) => (Number(fields[FIELD.utime]) + Number(fields[FIELD.stime])) * TICK_MS)
		.reduce((sum, each) => sum + each, 0);
}
