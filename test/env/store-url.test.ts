import { describe, expect, it } from 'vitest';
import { renderReport } from '../../src/env/report.ts';
import type { StoreUrl } from '../../src/env/store-url.ts';
import { configOf, load, loadValid } from './environment.ts';

/** What the service would connect with, in clear. */
function connection(text: string) {
  const storeUrl: StoreUrl = configOf({ STORE_URL: text }).storeUrl;
  if (storeUrl.kind === 'memory') throw new Error('not a server');
  const { host, port, tls, username, password, db, cluster } = storeUrl;
  return [tls, host, port, username?.reveal(), password?.reveal(), db, cluster];
}

describe('STORE_URL', () => {
  it.each([
    ['redis://localhost', [false, 'localhost', 6379, undefined, undefined, 0, false]],
    ['redis://localhost/', [false, 'localhost', 6379, undefined, undefined, 0, false]],
    ['redis://127.0.0.1:6380/2', [false, '127.0.0.1', 6380, undefined, undefined, 2, false]],
    ['redis://[::1]:6380', [false, '::1', 6380, undefined, undefined, 0, false]],
    ['rediss://:word@Cache.example.com', [true, 'cache.example.com', 6379, undefined, 'word', 0, false]],
    [
      'rediss://anna:w%40%3A%2Frd%25@cache.example.com:1',
      [true, 'cache.example.com', 1, 'anna', 'w@:/rd%', 0, false],
    ],
    ['rediss://a:b@cache.example.com?cluster=true', [true, 'cache.example.com', 6379, 'a', 'b', 0, true]],
    [
      'rediss://cache.example.com/0?cluster=true',
      [true, 'cache.example.com', 6379, undefined, undefined, 0, true],
    ],
  ])('names a server and who we are there: %s', (text, expected) => {
    expect(connection(text)).toEqual(expected);
  });

  it.each([
    ['memory:?replicas=1', 'memory:?replicas=1'],
    ['redis://localhost', 'redis://localhost:6379/0'],
    ['redis://[::1]', 'redis://[::1]:6379/0'],
    ['rediss://:word@cache.example.com/3', 'rediss://[secret]@cache.example.com:6379/3'],
    ['rediss://anna:word@cache.example.com:7000', 'rediss://[secret]@cache.example.com:7000/0'],
    ['rediss://anna:word@c.example.com?cluster=true', 'rediss://[secret]@c.example.com:6379?cluster=true'],
  ])('is shown without user name and password: %s [SB-16]', (text, shown) => {
    const loaded = loadValid({ STORE_URL: text });
    expect(loaded.settings.find(({ name }) => name === 'STORE_URL')?.values).toEqual([shown]);
    expect(renderReport(loaded)).not.toMatch(/anna|word/);
  });

  it('may stand in a mounted file, as a whole', () => {
    const files = { '/run/secrets/store': 'rediss://:word@cache.example.com\n' };
    const config = configOf({ STORE_URL: undefined, STORE_URL_FILE: '/run/secrets/store' }, files);
    expect(config.storeUrl).toMatchObject({ kind: 'redis', host: 'cache.example.com', tls: true });
  });

  it('draws a warning where it is not encrypted on its way to another machine [SB-14]', () => {
    expect(loadValid({ STORE_URL: 'redis://:word@cache.example.com' }).warnings).toEqual([
      'STORE_URL: redis:// is not encrypted, and host cache.example.com is not this machine; write rediss:// where the server speaks TLS',
    ]);
    for (const text of ['rediss://cache.example.com', 'redis://localhost', 'redis://[::1]']) {
      expect(loadValid({ STORE_URL: text }).warnings).toEqual([]);
    }
  });

  it('lets several replicas start where it names a server', () => {
    expect(load({ STORE_URL: 'rediss://cache.example.com' }).kind).toBe('valid');
  });
});
