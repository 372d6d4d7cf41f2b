import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

/** Makes a store in a process of its own, from the build; true if that loaded the driver. */
function loadsDriver(choice: object): boolean {
  const createStore = new URL('../../dist/store/create-store.js', import.meta.url).href;
  const program = `
    import { createRequire } from 'node:module';
    const { createStore } = await import(${JSON.stringify(createStore)});
    const clock = { nowMs: () => 0, monotonicMs: () => 0 };
    const sessionSecrets = [{ reveal: () => 'x'.repeat(32) }];
    const randomness = { fraction: () => 0 };
    const store = await createStore(${JSON.stringify(choice)}, { clock, sessionSecrets, randomness, onFault() {} });
    await store.close();
    const loaded = Object.keys(createRequire(import.meta.url).cache);
    console.log(loaded.some((path) => path.includes('/node_modules/ioredis/')));
  `;
  const args = ['--input-type=module', '--eval', program];
  const cwd = fileURLToPath(new URL('../..', import.meta.url));
  return execFileSync(process.execPath, args, { cwd, encoding: 'utf8', timeout: 60_000 }).trim() === 'true';
}

describe('the driver of Valkey and Redis', () => {
  it('is loaded where the store needs it, and by nobody who keeps records in memory', () => {
    expect(loadsDriver({ kind: 'memory' })).toBe(false);
    expect(loadsDriver({ kind: 'redis', host: '127.0.0.1', port: 1, db: 0 })).toBe(true);
  });
});
