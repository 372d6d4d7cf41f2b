import request from 'supertest';
import { describe, expect, it } from 'vitest';
import { browserSessionCookie } from '../../src/session/cookie.ts';
import { partsOf } from '../support/cookies.ts';
import { startWorld } from '../support/world.ts';

describe('the cookie of a browser session', () => {
  const https = ['Max-Age=3600', 'Path=/', 'HttpOnly', 'Secure', 'SameSite=Lax'];
  it.each([
    ['http on loopback', undefined, /^session-binding=/, https.filter((part) => part !== 'Secure')],
    ['https', 'https://binding.example.com', /^__Host-session-binding=/, https],
    ['https on a port', 'https://binding.example.com:8443', /^__Host-session-binding=/, https],
    ['https below a prefix', 'https://apps.example.com/auth', /^__Host-session-binding-[0-9a-f]{8}=/, https],
  ])(
    'for %s has its name and attributes from PUBLIC_URL alone [SB-33]',
    async (_name, publicUrl, start, rest) => {
      const world = await startWorld({ config: publicUrl === undefined ? {} : { publicUrl } });
      const token = await world.tokenOf('alice');
      const claims = [
        {},
        { 'x-forwarded-proto': 'http' },
        { 'x-forwarded-proto': 'https' },
        { forwarded: 'proto=https' },
      ];
      for (const headers of claims) {
        const answer = await request(world.url)
          .post('/userIdentifier/token')
          .set(headers)
          .send({ user_token: token });
        const [pair, ...attributes] = partsOf(answer.headers['set-cookie']);
        expect(pair).toMatch(start);
        // No Domain, which would share it with siblings; no Expires beside Max-Age.
        expect(attributes.toSorted()).toEqual(rest.toSorted());
      }
    },
  );

  it('is a different one for each prefix of a host, and the same for each spelling of one prefix [SB-33]', () => {
    const names = ['', '/a', '/b', '/a/b'].map(
      (prefix) => browserSessionCookie(`https://apps.example.com${prefix}`).name,
    );
    expect(new Set(names).size).toBe(4);
    expect(browserSessionCookie('https://apps.example.com/a/').name).toBe(names[1]);
  });

  it('carries 192 random bits, signed, and never the same twice [SB-05]', async () => {
    const world = await startWorld();
    const token = await world.tokenOf('alice');
    const ids = new Set<string | undefined>();
    for (let signIns = 0; signIns < 30; signIns += 1) {
      const answer = await request(world.url).post('/userIdentifier/token').send({ user_token: token });
      const value = decodeURIComponent(
        partsOf(answer.headers['set-cookie'])[0]?.replace('session-binding=', '') ?? '',
      );
      expect(value).toMatch(/^[\w-]{32}\.[\w+/]{43}$/);
      ids.add(value.split('.')[0]);
    }
    expect(ids.size).toBe(30);
  });

  it('follows SESSION_TTL_SECONDS', async () => {
    const world = await startWorld({ config: { sessionTtlSeconds: 120 } });
    const answer = await request(world.url)
      .post('/userIdentifier/token')
      .send({ user_token: await world.tokenOf('alice') });
    expect(partsOf(answer.headers['set-cookie'])).toContain('Max-Age=120');
  });
});
