import { describe, expect, it } from 'vitest';
import { isLoopbackHost } from '../../src/env/loopback.ts';

describe('isLoopbackHost', () => {
  it.each([
    'localhost',
    'LOCALHOST',
    'app.localhost',
    'a.b-c.localhost',
    '127.0.0.1',
    '127.255.255.254',
    '::1',
    '[::1]',
  ])('takes %s for this machine', (name) => {
    expect(isLoopbackHost(name)).toBe(true);
  });

  it.each([
    '',
    'example.com',
    'localhost.example.com',
    'app.localhost.example.com',
    'notlocalhost',
    '.localhost',
    'a..localhost',
    'localhost:9090',
    '127.0.0.1.attacker.example',
    '127.0.0.1@attacker.example',
    '127.attacker.example',
    '127.0.0.256',
    '127.1',
    '128.0.0.1',
    '0.0.0.0',
    '::',
    '[::]',
    '10.0.0.1',
    'attacker.example/.localhost',
  ])('takes "%s" for another machine [SB-28]', (name) => {
    expect(isLoopbackHost(name)).toBe(false);
  });
});
