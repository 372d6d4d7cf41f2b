import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../dist/demo/free-port.js';
import { startServiceProcess } from '../../dist/demo/service-process.js';

const PROBE = fileURLToPath(new URL('probe.mjs', import.meta.url));
export const CLIENT_ID = 'measured-app';
export const SESSION_SECRET = 'the-secret-of-a-measured-service-0123456789';

/**
 * The built command in a process of its own, with the probe in it and its log in a file.
 * `settings`: environment variables of the service. `port`: for replicas behind one public URL.
 */
export async function startService({ agentcoreEndpoint, discoveryUrl, settings = {}, port }) {
  const folder = mkdtempSync(join(tmpdir(), 'session-binding-measure-'));
  const logPath = join(folder, 'log');
  const log = openSync(logPath, 'a');
  let service;
  try {
    service = await startServiceProcess({
      port: port ?? (await freePort()),
      agentcoreEndpoint,
      discoveryUrl,
      clientId: CLIENT_ID,
      sessionSecret: SESSION_SECRET,
      settings,
      nodeArguments: ['--expose-gc', '--import', PROBE],
      stdio: ['ignore', log, log, 'ipc'],
    });
  } catch (error) {
    throw new Error(`${error.message}${readFileSync(logPath, 'utf8')}`, { cause: error });
  } finally {
    closeSync(log);
  }
  const { child, url } = service;
  return {
    url,
    pid: child.pid,
    hasEnded: () => child.exitCode !== null || child.signalCode !== null,
    /** What is left after a collection of garbage: memory, handles, and the longest stall since the last question. */
    async probe(signal) {
      const answer = once(child, 'message', { signal });
      child.send('probe');
      return (await answer)[0];
    },
    log: () => readFileSync(logPath, 'utf8'),
    async stop() {
      const code = await service.stop();
      rmSync(folder, { recursive: true, force: true });
      return code;
    },
  };
}
