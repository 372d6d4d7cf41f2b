import { expect, it } from 'vitest';
import { Secret } from '../../src/binding/secret.ts';
import { Browser, type Page } from '../../src/demo/browser.ts';
import { passLogin, startLoginWorld } from '../login/login-world.ts';
import { known, post, startSingleUser } from '../sign-in/single-user.ts';
import { Canaries, expectNoneIn, expectSilentLog } from '../support/canaries.ts';
import { press, readForm } from '../support/forms.ts';

const SESSION_SECRET = 'canary-session-secret-of-sign-ins-0123456789';
const CONTINUE = 'Continue as canary-alice';
const SIGN_OUT = 'Sign out of all my browsers';

const cookiesOf = (name: string, browser: Browser, url: string) =>
  Object.fromEntries([...browser.cookies(url)].map(([key, value]) => [`${key} of ${name}`, value]));

it('sign-in links, clicks and signing out leave nothing in the log, nor in the answers of others [SB-04] [SB-16]', async () => {
  const world = await startSingleUser({ config: { sessionSecrets: [new Secret(SESSION_SECRET)] } });
  const canaries = new Canaries();
  canaries.add('SESSION_SECRET', SESSION_SECRET);
  // Forms and links carry these because they must.
  const carried = new Canaries();
  const pages: Page[] = [];
  const [link = '', second = ''] = [
    ...(await known(world, 'canary-alice')),
    ...(await known(world, 'canary-alice')),
  ];
  for (const [index, url] of [link, second].entries())
    carried.add(`code ${index}`, new URL(url).searchParams.get('code') ?? '');

  const person = new Browser();
  const offered = await person.open(link);
  const { action, fields } = readForm(offered, CONTINUE);
  for (const [name, value] of Object.entries(fields))
    if (value.length > 15) carried.add(`field ${name}`, value);
  canaries.addAll(cookiesOf('the person before', person, world.url));
  const scanner = new Browser();
  pages.push(
    offered,
    await scanner.send(link, { method: 'HEAD' }),
    await scanner.send(link, { headers: { 'sec-purpose': 'prefetch' } }),
    await post(scanner, action, fields, { origin: 'https://canary.example' }),
    await post(scanner, action, { ...fields, csrf_token: 'canary-csrf-token' }),
    await post(scanner, action, fields),
    await person.open(`${world.url}/sign-in?code=canary-code-${fields['code'] ?? 'x'}`),
  );
  const page = await press(person, offered, CONTINUE);
  canaries.addAll(cookiesOf('the person', person, world.url));
  pages.push(page, await press(scanner, await scanner.open(link), CONTINUE));
  const { action: signOut, fields: leaving } = readForm(page, SIGN_OUT);
  pages.push(
    await post(scanner, signOut, leaving),
    await post(person, signOut, leaving, { origin: 'https://canary.example' }),
    await press(person, page, SIGN_OUT),
    await post(person, signOut, leaving),
  );

  const log = world.rawLog();
  for (const event of ['sign_in', 'sign_out', 'refused']) expect(log).toContain(`"event":"${event}"`);
  expectSilentLog(log, canaries);
  expectSilentLog(log, carried);
  expectNoneIn(pages, canaries);
});

it('nor does signing out at the issuer, whose address takes along no token and no name [SB-16]', async () => {
  const world = await startLoginWorld({
    client: 'basic',
    config: { sessionSecrets: [new Secret(SESSION_SECRET)] },
  });
  const canaries = new Canaries();
  const browser = new Browser();
  const page = await passLogin(browser, await browser.open(`${world.url}/login`), 'canary-alice');
  canaries.addAll({ SESSION_SECRET, name: 'canary-alice', ...cookiesOf('the person', browser, world.url) });
  const left = await press(browser, page, SIGN_OUT);
  expect(left.body).toContain('/session/end?client_id=basic-client"');
  expectSilentLog(world.rawLog(), canaries);
  expectNoneIn([left], canaries);
});
