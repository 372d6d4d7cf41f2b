import { beforeAll, onTestFinished } from 'vitest';
import { Browser, type Page } from '../../src/demo/browser.ts';
import type { OpenedFlow } from '../../src/demo/agent.ts';
import type { Config } from '../../src/env/config.ts';
import { Secret } from '../../src/binding/secret.ts';
import { consent } from '../support/consent.ts';
import { postToken } from '../support/flows.ts';
import { press, readForm } from '../support/forms.ts';
import { freePort } from '../support/free-port.ts';
import { AGENT, CLIENTS, type OidcProvider, startOidcProvider } from '../support/oidc-provider.ts';
import { startWorld, type World, type WorldOptions } from '../support/world.ts';

/** A world whose users sign in at a certified provider; their user tokens come from there, too. */
export interface LoginWorld extends World {
  readonly provider: OidcProvider;
}

export interface LoginWorldOptions extends Omit<WorldOptions, 'config'> {
  readonly client?: keyof typeof CLIENTS;
  readonly config?: Partial<Config>;
  /** What browsers call the provider. */
  readonly providerHost?: string;
  readonly spoil?: OidcProvider['spoil'];
}

export async function startLoginWorld(
  options: LoginWorldOptions = {},
  onEnd: (end: () => Promise<void>) => void = onTestFinished,
): Promise<LoginWorld> {
  const { client = 'public', config, providerHost, spoil = {}, host = 'localhost', ...rest } = options;
  const port = options.port ?? (await freePort());
  const publicUrl = config?.publicUrl ?? `http://${host}:${port}`;
  const provider = await startOidcProvider({
    publicUrls: [publicUrl],
    ...(providerHost && { host: providerHost }),
  });
  provider.spoil = spoil;
  const { clientId, clientSecret } = CLIENTS[client];
  const world = await startWorld(
    {
      ...rest,
      host,
      port,
      config: {
        discoveryUrls: [provider.discoveryUrl],
        allowedClients: [],
        allowedAudience: [AGENT],
        login: {
          clientId,
          clientSecret: clientSecret === undefined ? undefined : new Secret(clientSecret),
          scopes: ['openid', 'profile'],
        },
        ...config,
      },
    },
    (end) =>
      onEnd(async () => {
        await end();
        await provider.close();
      }),
  );
  return { ...world, provider };
}

/** One world for every test of a file; each brings users of its own. */
export function shareLoginWorld(options: LoginWorldOptions = {}): () => LoginWorld {
  let shared: LoginWorld | undefined;
  beforeAll(async () => {
    let end = async () => {};
    shared = await startLoginWorld(options, (close) => (end = close));
    return () => end();
  });
  return () => {
    if (shared === undefined) throw new Error('the world is there while tests run');
    return shared;
  };
}

export interface WaitingFlow extends OpenedFlow {
  /** Consent is given; whoever opens this finishes the flow, if it is his. */
  readonly callback: string;
  readonly userToken: string;
}

let users = 0;

/** A user nobody has seen before. */
export function newUser(name: string): string {
  users += 1;
  return `${name}-${users}`;
}

/** The user's app has pinned his flow from its server, and he has consented: no browser of ours knows him yet. */
export async function waitingFlow(world: LoginWorld, login: string): Promise<WaitingFlow> {
  const userToken = await world.provider.accessToken(login);
  const flow = await world.agent.open(userToken);
  const posted = await postToken(world, new Browser(), {
    user_token: userToken,
    session_uri: flow.sessionUri,
  });
  if (posted.status !== 200) throw new Error(`the app's POST answered ${posted.status}: ${posted.body}`);
  return { ...flow, userToken, callback: await consent(flow) };
}

/** The person signs in on the provider's pages and goes on wherever they lead. */
export async function passLogin(browser: Browser, page: Page, login: string): Promise<Page> {
  const next = await press(browser, page, 'Sign-in', { login, password: 'any' });
  return next.body.includes('>Continue</button>') ? press(browser, next, 'Continue') : next;
}

/** A browser that has signed in at the provider and here, with nothing waiting. */
export async function signedInBrowser(world: LoginWorld, login: string): Promise<Browser> {
  const browser = new Browser();
  const page = await passLogin(browser, await browser.open(`${world.url}/login`), login);
  if (page.status !== 200) throw new Error(`the login ended with ${page.status}: ${page.body}`);
  return browser;
}

/** Where the answer of one request sends the browser. */
export function locationOf(page: Page): string {
  return new URL(String(page.headers.location), page.url).href;
}

/** The cookies of logins under way, by name. */
export function loginCookies(browser: Browser, world: World): readonly (readonly [string, string])[] {
  return [...browser.cookies(world.url)].filter(([name]) => name.includes('-login-'));
}

export function tokenRequests({ provider }: LoginWorld): number {
  return provider.requests.filter((line) => line === 'POST /token').length;
}

/** A login as far as the issuer: the URL to which this browser, and its cookie jar, would go on. */
export async function beginLogin(world: LoginWorld, browser: Browser, query = ''): Promise<string> {
  const answer = await browser.send(`${world.url}/login${query}`, { headers: { accept: 'text/html' } });
  if (answer.status !== 303) throw new Error(`/login answered ${answer.status}: ${answer.body}`);
  return locationOf(answer);
}

/** The person signs in at the provider; gives the `/login/callback` to which it sends him, not visited yet. */
export async function answerOf(world: LoginWorld, authorizationUrl: string, login: string): Promise<string> {
  const atProvider = new Browser();
  let page = await atProvider.send(authorizationUrl);
  for (;;) {
    if (page.headers.location !== undefined) {
      const url = locationOf(page);
      if (url.startsWith(`${world.url}/login/callback`)) return url;
      page = await atProvider.send(url);
      continue;
    }
    const button = page.body.includes('>Continue</button>') ? 'Continue' : 'Sign-in';
    const { action, fields } = readForm(page, button);
    page = await atProvider.send(action, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ ...fields, login, password: 'any' }).toString(),
    });
  }
}

/** Opens a URL as this `Cookie` header's browser, without following redirects. */
export function openWith(url: string, cookie: string): Promise<Page> {
  return new Browser().send(url, { headers: { accept: 'text/html', ...(cookie !== '' && { cookie }) } });
}

/** The `Cookie` header of some cookies. */
export function headerOf(cookies: Iterable<readonly [string, string]>): string {
  return [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
}
