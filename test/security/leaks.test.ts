import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { Secret } from '../../src/binding/secret.ts';
import { Browser, type Page } from '../../src/demo/browser.ts';
import type { CompletionFault } from '../../src/emulator/agentcore-faults.ts';
import { startIssuer } from '../../src/emulator/issuer.ts';
import { Canaries, expectNoneIn, expectSilentLog, textOfPage } from '../support/canaries.ts';
import { callbackOf, visitAsProgram } from '../support/consent.ts';
import { cookieHeader, flowWithState, pinnedFlow, postToken } from '../support/flows.ts';
import { connectRaw } from '../support/raw-http.ts';
import { watchStore } from '../support/watched-store.ts';
import { startWorld, type World } from '../support/world.ts';

const SESSION_SECRET = `canary-session-secret-${randomBytes(24).toString('base64url')}`;
const AWS_SECRET = `canary-aws-secret-${randomBytes(24).toString('base64url')}`;
const FAULTS: readonly CompletionFault[] = [
  'access_denied_iam',
  'access_denied_secret',
  'unauthorized',
  'validation',
  'resource_not_found',
  'html_200',
  'truncated',
  'reset_after_binding',
  { exception: 'AccessDeniedException', status: 403, message: 'canary of AWS' },
  { exception: 'CanaryException', status: 418, message: 'canary of AWS' },
];

describe('at log level trace, after every kind of flow', () => {
  it('no line and no answer carries a token, cookie, state, flow id, secret or name [SB-16] [SB-25]', async () => {
    let bug: Error | undefined;
    const world = await startWorld({
      config: { logLevel: 'trace', sessionSecrets: [new Secret(SESSION_SECRET)] },
      credentials: { accessKeyId: 'AKIACANARYACCESSKEY', secretAccessKey: AWS_SECRET },
      store: watchStore(({ table, method }) => {
        if (bug !== undefined && `${table}.${method}` === 'completions.read') throw bug;
      }),
    });
    const canaries = new Canaries();
    const people = new Canaries();
    const answers: Page[] = [];
    canaries.add('SESSION_SECRET', SESSION_SECRET);
    canaries.add('the AWS secret', AWS_SECRET);
    canaries.add('the AWS access key', 'AKIACANARYACCESSKEY');

    for (const [index, play] of [...PLAYS, ...FAULTS.map(withFault)].entries()) {
      const name = `canary-person-${index}`;
      const { pages, secrets } = await play(world, name);
      answers.push(...pages);
      for (const [what, text] of Object.entries(secrets)) canaries.add(`${what} (${index})`, text);
      people.add(`the name of ${index}`, name);
    }
    const { browser, url } = await pinnedFlow(world, 'canary-person-of-the-bug');
    bug = new TypeError('a bug');
    answers.push(await browser.open(url));

    expect(world.log().length).toBeGreaterThan(PLAYS.length + FAULTS.length);
    expect(new Set(world.log().map((line) => line['event']))).toContain('error');
    expectSilentLog(world.rawLog(), canaries);
    expectSilentLog(world.rawLog(), people);
    expect(world.rawLog()).not.toMatch(/sub-of-|%3A/i);
    expectNoneIn(answers, canaries);
    for (const answer of answers) expect(textOfPage(answer)).not.toMatch(/canary of|arn:/);
  });
});

interface Played {
  readonly pages: readonly Page[];
  readonly secrets: Readonly<Record<string, string>>;
}
type Play = (world: World, name: string) => Promise<Played>;

/** Ways through the service; each brings a user of its own, whose name is a canary as well. */
const PLAYS: readonly Play[] = [
  async function bindsTwice(world, name) {
    const { browser, url, sessionUri, token } = await pinnedFlow(world, name);
    const cookie = cookieHeader(browser, url).replace('session-binding=', '');
    const pages = [await browser.open(url), await browser.open(url), await visitAsProgram(browser, url)];
    return { pages, secrets: { cookie, sessionUri, token } };
  },
  async function deniesAndFails(world, name) {
    const { browser, url, sessionUri, token } = await pinnedFlow(world, name);
    const errors = ['access_denied', 'server_error', 'canary-error', token];
    const visits = errors.map((error) =>
      browser.open(`${url}&error=${error}&error_description=${sessionUri}`),
    );
    return { pages: await Promise.all(visits), secrets: { sessionUri, token } };
  },
  async function carriesStates(world, name) {
    const { browser, url, sessionUri, token } = await flowWithState(world, name);
    const state = new URL(url).searchParams.get('state') ?? '';
    const bob = await world.signedIn(await world.tokenOf(`${name}-bob`));
    const pages = [
      await bob.open(url),
      await browser.open(url.replace(/.$/, '~')),
      await browser.open(`${url}&customState=sb1.canary`),
      await browser.open(url),
    ];
    return { pages, secrets: { state, sessionUri, token } };
  },
  async function isVisitedByStrangers(world, name) {
    const { browser, url, sessionUri, token } = await pinnedFlow(world, name);
    const bob = await world.signedIn(await world.tokenOf(`${name}-bob`));
    const frame = { 'sec-fetch-dest': 'iframe' };
    const pages = [
      await new Browser().open(url),
      await visitAsProgram(new Browser(), url),
      await bob.open(url),
      await browser.send(url, { headers: frame }),
      await browser.send(url, { method: 'POST', body: token }),
      await browser.send(url, { headers: { cookie: `session-binding=canary-cookie-${name}` } }),
    ];
    return { pages, secrets: { sessionUri, token } };
  },
  async function sendsNonsense(world, name) {
    const { browser, url, sessionUri, token } = await pinnedFlow(world, name);
    const addresses = [
      `${url}&session_id=${sessionUri}`,
      `${url}/${token}`,
      `${world.url}/${token}?${sessionUri}`,
      `${world.url}/%zz${token}`,
      callbackOf(world.url, token),
    ];
    const pages = await Promise.all(
      addresses.flatMap((address) => [browser.open(address), visitAsProgram(browser, address)]),
    );
    const raw = await connectRaw(world.url);
    raw.send(
      `GET /${token} HTTP/1.1\r\nHost: ${token}\r\nCookie: ${cookieHeader(browser, url)}\r\nX-Request-Id: ${name}\r\n\r\n\0${token}\r\n\r\n`,
    );
    const body = await raw.untilClosed();
    return { pages: [...pages, { status: 0, url: '', headers: {}, body }], secrets: { sessionUri, token } };
  },
  async function postsBadTokens(world, name) {
    const foreign = await startIssuer();
    const request = { subject: `sub-of-${name}`, username: name, clientId: 'demo-client' };
    const forged = await foreign.accessToken({ ...request, claims: { iss: world.issuer.issuer } });
    const theirs = await foreign.accessToken(request);
    await foreign.close();
    const expired = await world.tokenOf(name, -10);
    const { sessionUri, token } = await pinnedFlow(world, name);
    const bodies = [
      { user_token: forged },
      { user_token: theirs },
      { user_token: expired },
      { user_token: token, session_uri: token },
      { user_token: token, authorization_url: `https://evil.example/?request_uri=${sessionUri}` },
      { user_token: token, [token]: name },
      { user_token: await world.tokenOf(`${name}-bob`), session_uri: sessionUri },
      [token],
    ];
    const pages = [];
    for (const body of bodies) pages.push(await postToken(world, new Browser(), body));
    const typed = { method: 'POST', headers: { 'content-type': 'text/plain' }, body: token };
    pages.push(await new Browser().send(`${world.url}/userIdentifier/token`, typed));
    const evil = {
      ...typed,
      headers: { 'content-type': 'application/json', origin: `https://${name}.example` },
    };
    pages.push(await new Browser().send(`${world.url}/userIdentifier/token`, evil));
    return { pages, secrets: { forged, theirs, expired, sessionUri, token } };
  },
];

function withFault(fault: CompletionFault): Play {
  return async function meetsAFault(world, name) {
    const { browser, url, sessionUri, token } = await pinnedFlow(world, name);
    world.agentcore.faults.inject(fault, 3);
    const pages = [await browser.open(url), await visitAsProgram(browser, url)];
    world.agentcore.faults.clear();
    return { pages, secrets: { sessionUri, token } };
  };
}
