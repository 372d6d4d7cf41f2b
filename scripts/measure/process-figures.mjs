import { readdirSync, readFileSync } from 'node:fs';

/** Ticks of /proc: a hundred a second on every Linux that Node runs on. */
const TICK_MS = 10;

/** Resident memory, in bytes. Of any process on this machine; needs Linux, like the rest here. */
export function residentBytes(pid) {
  const [, kibibytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kibibytes) * 1024;
}

/** Processor time so far, its own and the kernel's for it. */
export function cpuMs(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name stands in parentheses and may hold anything.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

/** Files, sockets and pipes that it holds open. */
export function openFiles(pid) {
  return readdirSync(`/proc/${pid}/fd`).length;
}

/** How long its main thread had work and no processor to do it on: what a busy machine took from it. */
export function starvedMs(pid) {
  return Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[1]) / 1e6;
}
