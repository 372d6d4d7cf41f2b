import { existsSync, readFileSync } from 'node:fs';
import { onTestFinished } from 'vitest';
import { describeWithProgram } from './find-program.ts';

const PROC = '/proc/self/task';

/** A suite that looks at the command lines of processes, which anybody on the machine may read. */
export function describeWithCommandLines(name: string, suite: () => void): void {
  describeWithProgram(existsSync(PROC) ? PROC : undefined, 'there is no /proc', name, suite);
}

/** Command lines of this process and of all that it has started, as they are now. */
export function commandLinesOf(pid: number): readonly string[] {
  try {
    const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean);
    return [line, ...children.flatMap((child) => commandLinesOf(Number(child)))];
  } catch {
    // It has just ended.
    return [];
  }
}

/** Looks at them again and again until the test ends; gives all that were ever seen. */
export function watchCommandLines(pid: number): ReadonlySet<string> {
  const seen = new Set(commandLinesOf(pid));
  const timer = setInterval(() => {
    for (const line of commandLinesOf(pid)) seen.add(line);
  }, 20);
  onTestFinished(() => clearInterval(timer));
  return seen;
}
