import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { ISSUER_BUDGETS } from '../../src/issuer/issuer-keys.ts';
import { createLimitedFetch } from '../../src/issuer/limited-fetch.ts';
import { systemClock } from '../../src/system.ts';
import { freePort } from '../support/free-port.ts';

it('tells an issuer that does not listen from one that is late [SB-12]', async () => {
  const url = `http://127.0.0.1:${await freePort()}/token`;
  const options = { method: 'POST' as const, headers: {}, redirect: 'manual' as const, body: undefined };
  await expect(createLimitedFetch(systemClock, ISSUER_BUDGETS, () => {})(url, options)).rejects.toMatchObject(
    {
      name: 'IssuerFault',
      reason: 'unreachable',
    },
  );
});

/** What comes of an answer with this status and body. */
async function fetched(status: number, body: string, maxBytes: number) {
  const server = createServer((_request, response) => response.writeHead(status).end(body));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const options = { method: 'GET' as const, headers: {}, redirect: 'manual' as const, body: undefined };
  const limitedFetch = createLimitedFetch(systemClock, { ...ISSUER_BUDGETS, maxBytes }, () => {});
  const response = await limitedFetch(`http://127.0.0.1:${port}/`, options);
  return [response.status, await response.text()];
}

it('takes an answer of exactly its limit, and none that is a byte longer [SB-12]', async () => {
  expect(await fetched(200, 'x'.repeat(10), 10)).toEqual([200, 'x'.repeat(10)]);
  await expect(fetched(200, 'x'.repeat(11), 10)).rejects.toMatchObject({ reason: 'too_large' });
});

it.each([204, 304])('hands on an answer that can have no body: %i', async (status) => {
  expect(await fetched(status, '', 10)).toEqual([status, '']);
});

it.each([
  ['never answers', false],
  ['stops in the middle', true],
])('waits no longer than its budget for an issuer that %s [SB-12]', async (_how, begins) => {
  const server = createServer((_request, response) => {
    if (begins) response.writeHead(200, { 'content-type': 'application/json' }).write('{');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const limitedFetch = createLimitedFetch(systemClock, { ...ISSUER_BUDGETS, fetchTimeoutMs: 50 }, () => {});
  const options = { method: 'POST' as const, headers: {}, redirect: 'manual' as const, body: undefined };
  await expect(limitedFetch(`http://127.0.0.1:${port}/token`, options)).rejects.toMatchObject({
    name: 'IssuerFault',
    reason: 'timeout',
  });
});
