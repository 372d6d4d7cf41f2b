import { styleText } from 'node:util';
import { startPageServer } from './page-server.ts';

/** Starts the world and the agent's page, and waits for Ctrl+C. Gives the exit code. */
export async function runInteractive({ port }: { readonly port: number }): Promise<number> {
  const startedMs = performance.now();
  const stopped = nextSignal();
  print(
    `\n${styleText('bold', 'agentcore-session-binding')}: a world to try it in, on this machine alone\n\n`,
  );
  let isReady = false;
  // Nothing has begun yet: the service's process is ended when this one exits.
  void stopped.then(() => (isReady ? undefined : process.exit(130)));
  const server = await startPageServer({
    port,
    onProgress: (part, url) =>
      print(`  ${styleText('green', '✓')} ${part.padEnd(11)}${styleText('dim', url)}\n`),
  });
  isReady = true;
  if (port !== 0 && server.port !== port) {
    print(`\n  Port ${port} is taken by another program: the page has another one.\n`);
  }
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  print(
    `\n  Open ${styleText(['bold', 'underline'], server.url)} in your browser. (Ready in ${seconds} s; Ctrl+C ends it.)\n\n`,
  );
  await stopped;
  print('\n  Stopping …');
  await server.close();
  print(' done. Nothing is left behind.\n');
  return 0;
}

/** Ctrl+C reaches the service's process, too, and once more by way of npm; the next wish after that is impatience. */
const SAME_WISH_MS = 500;

function nextSignal(): Promise<void> {
  return new Promise((resolve) => {
    let firstAtMs: number | undefined;
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => {
        firstAtMs ??= performance.now();
        resolve();
        // The service's process is ended when this one exits.
        if (performance.now() - firstAtMs > SAME_WISH_MS) process.exit(1);
      });
    }
  });
}

function print(text: string): void {
  process.stdout.write(text);
}
