import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose';
import type { JSONWebKeySet } from 'jose';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startIssuer } from '../../src/emulator/issuer.ts';
import type { Issuer } from '../../src/emulator/issuer.ts';

let issuer: Issuer;

beforeEach(async () => {
  issuer = await startIssuer();
});

afterEach(() => issuer.close());

async function readJson<T>(url: string): Promise<T> {
  const value: T = JSON.parse(await (await fetch(url)).text());
  return value;
}

async function readKeySet(): Promise<JSONWebKeySet> {
  const { jwks_uri: keySetUri } = await readJson<{ readonly jwks_uri: string }>(issuer.discoveryUrl);
  return readJson(keySetUri);
}

test('listens on loopback only and names itself as Cognito does', async () => {
  expect(issuer.issuer).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/us-east-1_Emulator$/);
  expect(issuer.discoveryUrl).toBe(`${issuer.issuer}/.well-known/openid-configuration`);
  expect(await readJson(issuer.discoveryUrl)).toMatchObject({ issuer: issuer.issuer });
  expect((await fetch(`${issuer.issuer}/elsewhere`)).status).toBe(404);
});

test('makes access tokens of the shape of Cognito, verifiable by its key set', async () => {
  const jwt = await issuer.accessToken({
    subject: 'user-1',
    username: 'ada',
    clientId: 'app',
    expiresInSeconds: 60,
  });
  const keySet = createLocalJWKSet(await readKeySet());
  const { payload, protectedHeader } = await jwtVerify(jwt, keySet, { issuer: issuer.issuer });
  expect(protectedHeader.alg).toBe('RS256');
  expect(payload).toMatchObject({ sub: 'user-1', username: 'ada', client_id: 'app', token_use: 'access' });
  expect(Number(payload.exp) - Number(payload.iat)).toBe(60);
  expect(payload.aud).toBeUndefined();
});

test('never makes the same token twice', async () => {
  expect(await issuer.accessToken()).not.toBe(await issuer.accessToken());
});

test('lets a test set, replace and leave out claims and header parameters', async () => {
  const jwt = await issuer.accessToken({
    claims: { sub: 7, client_id: undefined, aud: 'api' },
    header: { kid: undefined, typ: 'JWT' },
  });
  expect(decodeJwt(jwt)).toMatchObject({ sub: 7, aud: 'api' });
  expect(decodeJwt(jwt)).not.toHaveProperty('client_id');
  expect(decodeProtectedHeader(jwt)).toEqual({ alg: 'RS256', typ: 'JWT' });
});

test('publishes no private key, and rotates with or without the old one', async () => {
  const [before] = (await readKeySet()).keys;
  expect(Object.keys(before ?? {}).toSorted()).toEqual(['alg', 'e', 'kid', 'kty', 'n', 'use']);
  await issuer.rotateKeys({ keepOld: true });
  expect((await readKeySet()).keys.map(({ kid }) => kid)).toContain(before?.kid);
  await issuer.rotateKeys();
  expect((await readKeySet()).keys).toHaveLength(1);
  expect((await readKeySet()).keys.map(({ kid }) => kid)).not.toContain(before?.kid);
});

test('counts what it is asked', async () => {
  await readKeySet();
  await readKeySet();
  expect([issuer.discoveryRequests, issuer.jwksRequests, issuer.redirectedRequests]).toEqual([2, 2, 0]);
});

test('fails in the ways it is told to, for the document it is told, until it is healed', async () => {
  issuer.faults = { mode: 'down' };
  await expect(fetch(issuer.discoveryUrl)).rejects.toThrow(TypeError);
  issuer.faults = { mode: 'status_500', only: 'jwks' };
  expect((await fetch(issuer.discoveryUrl)).status).toBe(200);
  expect((await fetch(`${issuer.issuer}/.well-known/jwks.json`)).status).toBe(500);
  issuer.faults = { mode: 'redirect' };
  expect(await readJson(issuer.discoveryUrl)).toMatchObject({ issuer: issuer.issuer });
  expect(issuer.redirectedRequests).toBe(1);
  issuer.faults = { mode: 'huge' };
  expect((await (await fetch(issuer.discoveryUrl)).text()).length).toBeGreaterThan(256 * 1024);
  issuer.faults = { mode: 'hang' };
  await expect(fetch(issuer.discoveryUrl, { signal: AbortSignal.timeout(50) })).rejects.toThrow(/timeout/);
  issuer.faults = {};
  expect((await fetch(issuer.discoveryUrl)).status).toBe(200);
});

test('closes although clients still wait, and frees its port', async () => {
  issuer.faults = { mode: 'hang' };
  const waiting = fetch(issuer.discoveryUrl).catch(() => 'cut');
  while (issuer.discoveryRequests === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  await issuer.close();
  expect(await waiting).toBe('cut');
  const port = Number(new URL(issuer.issuer).port);
  issuer = await startIssuer({ port });
  expect(new URL(issuer.issuer).port).toBe(String(port));
  await expect(startIssuer({ port })).rejects.toThrow(/EADDRINUSE/);
});
