import { expect, test } from 'vitest';
import { parseIssuerUrl } from '../../src/issuer/issuer-url.ts';

test.each(['https://issuer.example/pool', 'http://localhost:9000/', 'http://127.0.0.1/', 'http://[::1]/x'])(
  'an issuer may be reached at %s [SB-12]',
  (url) => {
    expect(parseIssuerUrl(url)?.href).toBe(url);
  },
);

test.each([
  'http://issuer.example/',
  'ftp://localhost/x',
  'ws://localhost/x',
  'https://user@issuer.example/',
  'https://:password@issuer.example/',
  'issuer.example',
  '',
  undefined,
  7,
  // What would be a URL once it is made a string.
  ['https://issuer.example/'],
  { toString: () => 'https://issuer.example/' },
])('and never at %j [SB-12]', (value) => {
  expect(parseIssuerUrl(value)).toBeUndefined();
});
