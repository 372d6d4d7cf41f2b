import { beforeEach, describe, expect, it } from 'vitest';
import { Secret } from '../../src/binding/secret.ts';
import { Browser, type Page } from '../../src/demo/browser.ts';
import { press, readForm } from '../support/forms.ts';
import type { World } from '../support/world.ts';
import { known, post, startSingleUser, whoIs } from './single-user.ts';

const WORDS = 'Continue as alice';
const COOKIE = 'session-binding-form';

let world: World;
let person: Browser;
let page: Page;
let form: { readonly action: string; readonly fields: Record<string, string> };

beforeEach(async () => {
  world = await startSingleUser();
  await known(world, 'alice');
  person = new Browser();
  page = await person.open(`${world.url}/sign-in`);
  form = readForm(page, WORDS);
});

async function expectNobody(answer: Page, status: number, code?: string) {
  expect(answer.status).toBe(status);
  if (code !== undefined) expect(JSON.parse(answer.body).code).toBe(code);
  expect(
    [answer.headers['set-cookie'] ?? []].flat().filter((line) => line.startsWith('session-binding=')),
  ).toEqual([]);
  expect(await whoIs(person, world)).toBeUndefined();
  expect(world.agentcore.completeCalls).toBe(0);
}

describe('the CSRF token of the sign-in form [SB-03]', () => {
  it('lets the click of its own browser through', async () => {
    const answer = await post(person, form.action, form.fields);
    expect([answer.status, answer.headers.location]).toEqual([303, 'sign-in']);
    expect(await whoIs(person, world)).toBe('alice');
  });

  const fieldsWith = (csrfToken: string) => ({ ...form.fields, csrf_token: csrfToken });

  it.each([
    ['missing', () => ({ candidate: form.fields['candidate'] ?? '' })],
    ['empty', () => fieldsWith('')],
    ['made up', () => fieldsWith('A'.repeat(43))],
    ['cut short', () => fieldsWith((form.fields['csrf_token'] ?? '').slice(0, -1))],
    ['too long', () => fieldsWith(`${form.fields['csrf_token']}A`)],
    ['the cookie itself', () => fieldsWith(person.cookies(world.url).get(COOKIE) ?? '')],
  ])('is refused when it is %s [SB-03]', async (_name, fields) => {
    const answer = await post(person, form.action, fields());
    expect(answer.body).toContain('did nothing');
    await expectNobody(answer, 403);
    const forPrograms = await post(person, form.action, fields(), { accept: 'application/json' });
    await expectNobody(forPrograms, 403, 'state_invalid');
  });

  it('is refused when it is of another browser: W got it in his own [SB-03]', async () => {
    const attackers = new Browser();
    const { fields } = readForm(await attackers.open(`${world.url}/sign-in`), WORDS);
    await expectNobody(await post(person, form.action, fields), 403);
  });

  it('is refused in a browser that has no cookie for it [SB-03]', async () => {
    await expectNobody(await post(new Browser(), form.action, form.fields), 403);
  });

  it('is refused when its cookie comes twice with different values [SB-33]', async () => {
    const pairs = [`${COOKIE}=${'A'.repeat(32)}`, `${COOKIE}=${person.cookies(world.url).get(COOKIE)}`];
    for (const cookie of [pairs.join('; '), pairs.toReversed().join('; ')]) {
      await expectNobody(await post(new Browser(), form.action, form.fields, { cookie }), 403);
    }
  });

  it('is refused after it has signed somebody in [SB-03] [SB-05]', async () => {
    const before = person.cookies(world.url).get(COOKIE) ?? '';
    await post(person, form.action, form.fields);
    expect(person.cookies(world.url).get(COOKIE)).toBeUndefined();
    const replay = await post(person, form.action, form.fields);
    expect(replay.status).toBe(403);
    const after = await person.open(`${world.url}/sign-in`);
    expect(after.body).not.toContain(form.fields['csrf_token']);
    expect(person.cookies(world.url).get(COOKIE)).not.toBe(before);
    expect((await post(person, form.action, form.fields)).status).toBe(403);
  });

  it('is the same in two tabs, and a click in the second tab still works', async () => {
    const second = await person.open(`${world.url}/sign-in`);
    expect(readForm(second, WORDS).fields).toEqual(form.fields);
    expect((await press(person, page, WORDS)).status).toBe(200);
    // The second tab is stale now: the click does nothing, and the page it gets works.
    const stale = await press(person, second, WORDS);
    expect(stale.status).toBe(403);
    expect(stale.body).toContain('old page');
    expect((await press(person, stale, WORDS)).status).toBe(200);
    expect(await whoIs(person, world)).toBe('alice');
  });

  it('verifies after the secret was rotated [SB-14]', async () => {
    const [old, fresh] = [
      'a-test-secret-that-is-long-enough-0123456789',
      'another-secret-that-is-long-enough-98765432',
    ];
    const rotated = await startSingleUser({
      config: { sessionSecrets: [new Secret(fresh), new Secret(old)] },
    });
    const answer = await post(person, `${rotated.url}/sign-in`, { ...form.fields, candidate: 'nobody' });
    expect(answer.body).toContain('That user is not known here');
    const foreign = await startSingleUser({ config: { sessionSecrets: [new Secret(fresh)] } });
    expect((await post(person, `${foreign.url}/sign-in`, form.fields)).body).toContain('did nothing');
  });
});

describe('where the sign-in form comes from [SB-03]', () => {
  it.each([
    ['another site', { origin: 'https://attacker.example', 'sec-fetch-site': 'cross-site' }],
    ['a sandboxed frame', { origin: 'null', 'sec-fetch-site': 'cross-site' }],
    ['a redirect that lost its origin', { origin: 'null', 'sec-fetch-site': 'same-origin' }],
    ['a sibling domain', { origin: 'http://evil.localhost', 'sec-fetch-site': 'same-site' }],
    ['a sibling domain without Origin', { origin: undefined, 'sec-fetch-site': 'same-site' }],
    ['another site without Origin', { origin: undefined, 'sec-fetch-site': 'cross-site' }],
    ['another port of this host', { origin: 'http://localhost:1', 'sec-fetch-site': 'same-site' }],
    ['another name of this host', { origin: 'http://127.0.0.1', 'sec-fetch-site': 'same-site' }],
    [
      'an origin with our name in it',
      { origin: 'http://localhost.attacker.example', 'sec-fetch-site': undefined },
    ],
    ['an old browser elsewhere', { origin: 'https://attacker.example', 'sec-fetch-site': undefined }],
    ['an empty Origin', { origin: '', 'sec-fetch-site': undefined }],
    ['our origin, said by a foreign page', { 'sec-fetch-site': 'cross-site' }],
  ])('is refused from %s [SB-03]', async (_name, headers) => {
    const answer = await post(person, form.action, form.fields, { ...headers, accept: 'application/json' });
    await expectNobody(answer, 403, 'forbidden_origin');
  });

  it('is refused from an app that may post tokens [SB-03]', async () => {
    const app = 'http://localhost:3000';
    const other = await startSingleUser({ config: { allowedOrigins: [app] } });
    await known(other, 'alice');
    const { action, fields } = readForm(await person.open(`${other.url}/sign-in`), WORDS);
    const answer = await post(person, action, fields, { origin: app, 'sec-fetch-site': 'same-site' });
    expect(answer.status).toBe(403);
    expect(await whoIs(person, other)).toBeUndefined();
  });

  it.each([
    ['an iframe', { 'sec-fetch-dest': 'iframe' }],
    ['a script', { 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty' }],
    ['a beacon', { 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'empty' }],
  ])('is refused in %s [SB-06]', async (_name, headers) => {
    const answer = await post(person, form.action, form.fields, { ...headers, accept: 'application/json' });
    await expectNobody(answer, 403, 'not_a_navigation');
  });

  it.each(['application/json', 'text/plain', 'multipart/form-data; boundary=x', undefined])(
    'is refused as %s [SB-03]',
    async (type) => {
      const headers = { 'content-type': type, accept: 'application/json' };
      await expectNobody(
        await post(person, form.action, form.fields, headers),
        415,
        'unsupported_media_type',
      );
    },
  );

  it('is refused when there is no body at all, and is never a bug of ours', async () => {
    const headers = { accept: 'application/json', origin: world.url, 'sec-fetch-site': 'same-origin' };
    const bare = await person.send(form.action, { method: 'POST', headers });
    await expectNobody(bare, 415, 'unsupported_media_type');
    const empty = await post(person, form.action, {}, { accept: 'application/json' });
    await expectNobody(empty, 400, 'invalid_request');
  });

  it('may be a browser that says neither Origin nor Fetch Metadata: then the CSRF token decides', async () => {
    const silent = Object.fromEntries(
      ['origin', 'sec-fetch-site', 'sec-fetch-mode', 'sec-fetch-dest'].map((name) => [name, undefined]),
    );
    await expectNobody(await post(person, form.action, { ...form.fields, csrf_token: 'x' }, silent), 403);
    const { fields } = readForm(await person.open(`${world.url}/sign-in`), WORDS);
    expect((await post(person, form.action, fields, silent)).status).toBe(303);
  });
});
