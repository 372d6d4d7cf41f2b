import type { CommandIo } from './command.ts';

const PATIENCE_MS = 1_000;

/** The promise's result; says on standard error what is waited for, if that takes more than a second. */
export async function withProgress<T>(what: string, promise: Promise<T>, io: CommandIo): Promise<T> {
  const timer = setTimeout(() => io.err(`${what} …\n`), PATIENCE_MS);
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
  }
}
