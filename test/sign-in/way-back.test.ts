import { beforeEach, describe, expect, it } from 'vitest';
import { Browser } from '../../src/demo/browser.ts';
import { press, readForm } from '../support/forms.ts';
import type { World } from '../support/world.ts';
import { known, post, startSingleUser, whoIs } from './single-user.ts';

const URN = 'urn:ietf:params:oauth:request_uri:';

let world: World;

beforeEach(async () => {
  world = await startSingleUser();
  await known(world, 'alice');
});

/** Clicks "Continue as alice" with these fields beside those of the form; gives the answer and who he is then. */
async function clickWith(more: readonly (readonly [string, string])[]) {
  const person = new Browser();
  const { action, fields } = readForm(await person.open(`${world.url}/sign-in`), 'Continue as alice');
  const answer = await post(person, action, [...Object.entries(fields), ...more]);
  return { answer, who: await whoIs(person, world) };
}

const LONG = 'a'.repeat(1025 - URN.length);

describe('a way back that is no callback of ours', () => {
  it('is refused, and nobody is signed in by that click [SB-18]', async () => {
    const hostile: readonly (readonly (readonly [string, string])[])[] = [
      ...[
        '',
        ' ',
        'https://attacker.example/',
        'http://localhost:9090/oauth2/callback',
        '//attacker.example',
        '///attacker.example',
        '/\\attacker.example',
        '\\\\attacker.example',
        '/oauth2/callback',
        '../ping',
        '?session_id=x',
        '#x',
        'javascript:alert(1)',
        'data:text/html,x',
        URN,
        `${URN}a b`,
        `${URN}a/../../x`,
        `${URN}a&return_to=https://attacker.example`,
        `${URN}a#x`,
        `${URN}a?x=y`,
        `${URN}a%0d%0a`,
        `${URN}a\r\nSet-Cookie: session-binding=x`,
        `${URN}a\nLocation: https://attacker.example`,
        `${URN}a\0`,
        `${URN}ä`,
        `${URN}"><script>`,
        `${URN}${LONG}`,
        `${URN.toUpperCase()}a`,
        ` ${URN}a`,
        `${URN}a@attacker.example`,
        'urn:ietf:params:oauth:request_uri',
        'urn:other:a',
      ].map((value) => [['session_id', value] as const]),
      [
        ['session_id', `${URN}a`],
        ['session_id', `${URN}b`],
      ],
      [
        ['session_id', `${URN}a`],
        ['session_id', `${URN}a`],
      ],
      [
        ['session_id', `${URN}a`],
        ['state', 'sb1.a'],
        ['custom_state', 'sb1.b'],
      ],
      [
        ['error', 'x'],
        ['error', 'y'],
      ],
      [['error', '']],
      [['state', 'sb1.a']],
      ...[
        '',
        ' ',
        'a b',
        '../x',
        'a/b',
        '//attacker.example',
        'https://attacker.example',
        'a&b',
        'ä',
        'a\r\n',
      ].map((value) => [['flow', value] as const]),
      [['flow', 'a'.repeat(129)]],
      [
        ['flow', 'a'],
        ['flow', 'a'],
      ],
      [
        ['flow', 'a'],
        ['session_id', `${URN}a`],
      ],
      [
        ['flow', 'a'],
        ['error', 'access_denied'],
      ],
    ];
    expect(hostile.length).toBeGreaterThanOrEqual(30);
    for (const fields of hostile) {
      const { answer, who } = await clickWith(fields);
      expect({ fields, status: answer.status, location: answer.headers.location, who }).toEqual({
        fields,
        status: 400,
        location: undefined,
        who: undefined,
      });
    }
    expect(world.agentcore.completeCalls).toBe(0);
  });

  it.each(['return_to', 'next', 'redirect_uri', 'url', 'callback', 'Location', 'way_back', 'action'])(
    'is not looked for in the field %s [SB-18]',
    async (name) => {
      const { answer, who } = await clickWith([[name, 'https://attacker.example']]);
      expect([answer.status, answer.headers.location, who]).toEqual([303, 'sign-in', 'alice']);
    },
  );
});

describe('a way back to the callback', () => {
  it.each([
    [
      [['session_id', `${URN}a.b-c_d~e`]],
      `session_id=urn%3Aietf%3Aparams%3Aoauth%3Arequest_uri%3Aa.b-c_d%7Ee`,
    ],
    [
      [
        ['session_id', `${URN}a`],
        ['state', "the app's own"],
      ],
      'session_id=urn%3Aietf%3Aparams%3Aoauth%3Arequest_uri%3Aa',
    ],
    [
      [
        ['session_id', `${URN}a`],
        ['customState', 'sb1.x&y=z'],
      ],
      'session_id=urn%3Aietf%3Aparams%3Aoauth%3Arequest_uri%3Aa&state=sb1.x%26y%3Dz',
    ],
    [[['error', 'https://attacker.example']], 'error=https%3A%2F%2Fattacker.example'],
    [[['error', 'x\r\nSet-Cookie: a=b']], 'error=x%0D%0ASet-Cookie%3A+a%3Db'],
    [[['error', '"><script>alert(1)</script>']], 'error=%22%3E%3Cscript%3Ealert%281%29%3C%2Fscript%3E'],
  ] as const)('is rebuilt from what was understood: %j [SB-17] [SB-18]', async (fields, query) => {
    const { answer, who } = await clickWith(fields);
    expect([answer.status, answer.headers.location, who]).toEqual([303, `oauth2/callback?${query}`, 'alice']);
    expect(new URL(String(answer.headers.location), answer.url).href).toBe(
      `${world.url}/oauth2/callback?${query}`,
    );
    expect([answer.headers['set-cookie']].flat().join()).not.toContain('a=b');
  });

  it('leads to a start link as well, by its handle alone [SB-18]', async () => {
    const { answer, who } = await clickWith([['flow', 'Aa0_-']]);
    expect([answer.status, answer.headers.location, who]).toEqual([200, undefined, 'alice']);
    expect(answer.body).toContain('<meta http-equiv="refresh" content="0;url=oauth2/start?flow=Aa0_-" />');
  });

  it('never becomes markup of the page that carries it [SB-17]', async () => {
    const person = new Browser();
    const hostile = `"><script>alert(1)</script>'\`&`;
    const query = new URLSearchParams({
      error: hostile,
      error_description: hostile,
      state: `sb1.${hostile}`,
    });
    const page = await person.open(`${world.url}/oauth2/callback?${query.toString()}`);
    expect(page.status).toBe(200);
    expect(page.body).not.toContain('<script');
    expect(page.body).not.toContain('error_description');
    const { headers } = page;
    expect([headers['referrer-policy'], headers['cache-control']]).toEqual(['strict-origin', 'no-store']);
    expect((await press(person, page, 'Continue as alice')).body).toContain(
      'The other side reported an error',
    );
  });

  it('does not write the flow into a refused page, but goes on after it [SB-25]', async () => {
    const person = new Browser();
    const page = await person.open(`${world.url}/oauth2/callback?session_id=${URN}secret-flow`);
    const { action, fields } = readForm(page, 'Continue as alice');
    const refused = await post(person, action, { ...fields, csrf_token: 'x' });
    expect(readForm(refused, 'Continue as alice').fields['session_id']).toBe(`${URN}secret-flow`);
    const end = await press(person, refused, 'Continue as alice');
    expect(new URL(end.url).pathname).toBe('/oauth2/callback');
    expect(end.status).toBe(410);
    expect(end.body).not.toContain('secret-flow');
    expect(world.rawLog()).not.toContain('secret-flow');
  });
});
