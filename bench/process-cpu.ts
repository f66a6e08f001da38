import { readFile } from 'node:fs/promises';

/** Linux counts in hundredths of a second, whatever its kernel was built with (`getconf CLK_TCK`). */
const MS_PER_TICK = 10;

/** CPU milliseconds that a process has used so far, or undefined where there is no `/proc`. See proc_pid_stat(5). */
export async function processCpuMs(pid: number): Promise<number | undefined> {
  const stat = await readFile(`/proc/${String(pid)}/stat`, 'utf8').catch(() => undefined);
  // The second field, the program's name, may hold spaces and parentheses.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
  // Fields 14 and 15 of the whole line.
  const [user, system] = [fields?.[11], fields?.[12]];
  return user === undefined || system === undefined
    ? undefined
    : (Number(user) + Number(system)) * MS_PER_TICK;
}
