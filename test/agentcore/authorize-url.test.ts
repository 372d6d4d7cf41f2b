import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AuthorizationUrlRefusal, parseAuthorizationUrl } from '../../src/agentcore/authorize-url.ts';
import { must } from './stand-in-flow.ts';

const HOST = 'bedrock-agentcore.us-east-1.amazonaws.com';
const HOSTS = [HOST, '127.0.0.1:4100', 'localhost:4100', '[::1]:4100', 'gateway.example:8443'];
const ENDPOINT = `https://${HOST}/identities/oauth2/authorize`;
const URN = 'urn:ietf:params:oauth:request_uri:Ab1-._~';
const ENCODED = encodeURIComponent(URN);
const GOOD = `${ENDPOINT}?request_uri=${ENCODED}`;

describe('an authorization URL', () => {
  it.each([
    GOOD,
    `${ENDPOINT}?request_uri=${URN}`,
    `${ENDPOINT}?client_id=x&request_uri=${ENCODED}&scope=a+b`,
    `http://127.0.0.1:4100/identities/oauth2/authorize?request_uri=${ENCODED}`,
    `http://localhost:4100/identities/oauth2/authorize?request_uri=${ENCODED}`,
    `http://[::1]:4100/identities/oauth2/authorize?request_uri=${ENCODED}`,
    `https://gateway.example:8443/identities/oauth2/authorize?request_uri=${ENCODED}`,
  ])('of AgentCore names its authorization session: %s', (text) => {
    expect(parseAuthorizationUrl(text, HOSTS)).toMatchObject({
      kind: 'parsed',
      url: text,
      authorizationSession: { id: URN },
    });
  });

  const hostile: readonly (readonly [AuthorizationUrlRefusal, string])[] = [
    ['too_long', `${GOOD}&x=${'a'.repeat(4096 - GOOD.length - 2)}`],
    ['too_long', 'a'.repeat(5000)],

    ['characters', ''],
    ['characters', ` ${GOOD}`],
    ['characters', `${GOOD} `],
    ['characters', `${GOOD}\n`],
    ['characters', `${GOOD}\r\nSet-Cookie: a=b`],
    ['characters', `${GOOD}\0`],
    ['characters', GOOD.replace('https', 'ht\ttps')],
    ['characters', GOOD.replace('/oauth2/', '/\noauth2/')],
    ['characters', GOOD.replace(HOST, `evil.example\\@${HOST}`)],
    ['characters', GOOD.replace('https://', 'https:\\\\')],
    ['characters', `${GOOD}&x=\\evil.example`],
    ['characters', GOOD.replace('amazonaws', 'amazonaw\u0455')],
    ['characters', GOOD.replace('.com', '\u3002com')],
    ['characters', GOOD.replace('/identities', '\uff0fidentities')],
    ['characters', `${GOOD}\u202e`],
    ['characters', `\ufeff${GOOD}`],
    ['characters', `${GOOD}#fragment`],
    ['characters', `${GOOD}#`],
    ['characters', `https://evil.example#@${HOST}/identities/oauth2/authorize?request_uri=${ENCODED}`],
    [
      'characters',
      `${ENDPOINT}?x=1;request_uri=urn:ietf:params:oauth:request_uri:other&request_uri=${ENCODED}`,
    ],

    ['not_canonical', 'hello'],
    ['not_canonical', `//${HOST}/identities/oauth2/authorize?request_uri=${ENCODED}`],
    ['not_canonical', `/identities/oauth2/authorize?request_uri=${ENCODED}`],
    ['not_canonical', 'https://'],
    ['not_canonical', GOOD.replace('https://', 'https:')],
    ['not_canonical', GOOD.replace('https://', 'https:///')],
    ['not_canonical', GOOD.replace('https://', 'HTTPS://')],
    ['not_canonical', GOOD.replace(HOST, HOST.toUpperCase())],
    ['not_canonical', GOOD.replace(HOST, `${HOST}:443`)],
    ['not_canonical', GOOD.replace(HOST, `${HOST}:`)],
    ['not_canonical', GOOD.replace(HOST, `@${HOST}`)],
    ['not_canonical', GOOD.replace(HOST, `:@${HOST}`)],
    ['not_canonical', GOOD.replace(HOST, HOST.replace('amazonaws', '%61mazonaws'))],
    ['not_canonical', GOOD.replace('/identities', '/x/../identities')],
    ['not_canonical', GOOD.replace('/identities', '/./identities')],
    ['not_canonical', GOOD.replace('/identities', '/x/%2e%2e/identities')],
    ['not_canonical', `${GOOD}&x="onload`],
    ['not_canonical', `${GOOD}&x=<script>`],
    ['not_canonical', `http://2130706433:4100/identities/oauth2/authorize?request_uri=${ENCODED}`],
    ['not_canonical', `http://0x7f.1:4100/identities/oauth2/authorize?request_uri=${ENCODED}`],

    ['scheme', GOOD.replace('https', 'http')],
    ['scheme', GOOD.replace('https', 'ftp')],
    ['scheme', GOOD.replace('https', 'javascript')],
    ['scheme', GOOD.replace('https', 'wss')],
    ['scheme', 'javascript:alert(1)'],
    ['scheme', `data:text/html,${HOST}`],
    ['scheme', URN],
    ['scheme', `blob:${GOOD}`],
    ['scheme', `view-source:${GOOD}`],
    ['scheme', `http://gateway.example:8443/identities/oauth2/authorize?request_uri=${ENCODED}`],
    ['scheme', `ftp://127.0.0.1:4100/identities/oauth2/authorize?request_uri=${ENCODED}`],

    ['userinfo', GOOD.replace(HOST, `user@${HOST}`)],
    ['userinfo', GOOD.replace(HOST, `user:password@${HOST}`)],
    ['userinfo', GOOD.replace(HOST, `:password@${HOST}`)],
    ['userinfo', GOOD.replace(HOST, `evil.example%2f@${HOST}`)],
    ['userinfo', GOOD.replace(HOST, `${HOST}@evil.example`)],

    ['host', GOOD.replace(HOST, 'evil.example')],
    ['host', GOOD.replace(HOST, `${HOST}.evil.example`)],
    ['host', GOOD.replace(HOST, `evil-${HOST}`)],
    ['host', GOOD.replace(HOST, `evil.${HOST}`)],
    ['host', GOOD.replace(HOST, `${HOST}.`)],
    ['host', GOOD.replace(HOST, `${HOST}:444`)],
    ['host', GOOD.replace('us-east-1', 'us-east-2')],
    ['host', `http://127.0.0.1:4101/identities/oauth2/authorize?request_uri=${ENCODED}`],
    ['host', `http://127.0.0.1/identities/oauth2/authorize?request_uri=${ENCODED}`],
    ['host', GOOD.replace(HOST, 'xn--80ak6aa92e.com')],

    ['path', GOOD.replace('/identities/oauth2/authorize', '/')],
    ['path', GOOD.replace('authorize', 'authorize/')],
    ['path', GOOD.replace('authorize', 'authorize2')],
    ['path', GOOD.replace('authorize', 'Authorize')],
    ['path', GOOD.replace('authorize', 'token')],
    ['path', GOOD.replace('authorize', '%61uthorize')],
    ['path', GOOD.replace('/identities', '//identities')],
    ['path', GOOD.replace('/identities', '/prefix/identities')],

    ['request_uri', ENDPOINT],
    ['request_uri', `${ENDPOINT}?`],
    ['request_uri', `${ENDPOINT}?request_uri`],
    ['request_uri', `${ENDPOINT}?request_uri=`],
    ['request_uri', `${ENDPOINT}?session_id=${ENCODED}`],
    ['request_uri', `${ENDPOINT}?Request_Uri=${ENCODED}`],
    ['request_uri', `${GOOD}&request_uri=${ENCODED}`],
    ['request_uri', `${GOOD}&request_uri=`],
    ['request_uri', `${GOOD}&request%5Furi=${ENCODED}`],
    ['request_uri', `${GOOD}&REQUEST_URI=${ENCODED}`],
    ['request_uri', `${GOOD}&request_uri[]=${ENCODED}`],
    ['request_uri', `${GOOD}&request_uri%00=${ENCODED}`],
    ['request_uri', `${GOOD}&+request_uri=${ENCODED}`],
    ['request_uri', `${ENDPOINT}?request_uri=${encodeURIComponent(ENCODED)}`],
    ['request_uri', `${GOOD}+`],
    ['request_uri', `${GOOD}%0A`],
    ['request_uri', `${GOOD}%00`],
    ['request_uri', `${GOOD}%C3%A9`],
    ['request_uri', `${GOOD}%2F..%2F`],
    ['request_uri', `${ENDPOINT}?request_uri=https%3A%2F%2Fevil.example`],
    ['request_uri', `${ENDPOINT}?request_uri=urn:ietf:params:oauth:request_uri:`],
    ['request_uri', `${ENDPOINT}?request_uri=${URN}${'a'.repeat(1024)}`],
  ];

  it.each(hostile)('is refused for its %s: %j [SB-18]', (reason, text) => {
    expect(parseAuthorizationUrl(text, HOSTS)).toEqual({ kind: 'refused', reason });
  });

  it('is refused everywhere when no host is accepted [SB-18]', () => {
    expect(parseAuthorizationUrl(GOOD, [])).toEqual({ kind: 'refused', reason: 'host' });
  });

  it('may be 4096 characters long and no longer', () => {
    const longest = `${GOOD}&x=${'a'.repeat(4096 - GOOD.length - 3)}`;
    expect(longest).toHaveLength(4096);
    expect(parseAuthorizationUrl(longest, HOSTS).kind).toBe('parsed');
    expect(parseAuthorizationUrl(`${longest}a`, HOSTS)).toEqual({ kind: 'refused', reason: 'too_long' });
  });

  it('leads to AgentCore with that one session, whatever is done to a good one [SB-18]', () => {
    const scraps = fc.constantFrom(
      '/',
      '\\',
      '@',
      ':',
      '#',
      '?',
      '&',
      ';',
      '=',
      '%',
      '%2f',
      '%00',
      '\t',
      '\n',
      ' ',
      '..',
      '.',
      '%2e',
      'a',
      '[',
      ']',
      'evil.example',
      'https://',
      'request_uri=',
      '&request_uri=x',
      'é',
      '\u3002',
    );
    const edit = fc.record({ at: fc.nat(GOOD.length), cut: fc.nat(4), insert: scraps });
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 3 }), (edits) => {
        const text = edits.reduce(
          (edited, { at, cut, insert }) => edited.slice(0, at) + insert + edited.slice(at + cut),
          GOOD,
        );
        const parsed = parseAuthorizationUrl(text, HOSTS);
        if (parsed.kind === 'refused') return;
        // Read here by hand, not by the parser under test.
        const [beforeQuery, query, ...rest] = parsed.url.split('?');
        expect(beforeQuery).toBe(ENDPOINT);
        expect(rest.join('')).not.toMatch(/request_uri=/);
        const values = must(query)
          .split('&')
          .filter((pair) => pair.startsWith('request_uri='))
          .map((pair) => decodeURIComponent(pair.slice('request_uri='.length)));
        expect(values).toEqual([parsed.authorizationSession.id]);
      }),
      { numRuns: 3000 },
    );
  });
});
