import { request } from 'node:http';
import { Browser, type Page } from '../../src/demo/browser.ts';
import type { OpenedFlow } from '../../src/demo/agent.ts';
import type { Store } from '../../src/store/store.ts';
import { startWorld, type World, type WorldOptions } from '../support/world.ts';

export function startSingleUser({ config, ...options }: WorldOptions = {}): Promise<World> {
  return startWorld({ ...options, config: { singleUser: true, ...config } });
}

/** A program such as AWS's Python sample hands over its user's token; it keeps no cookie. Gives the answer. */
export async function programPosts(
  { url }: World,
  userToken: string,
  more: Readonly<Record<string, unknown>> = {},
): Promise<Readonly<Record<string, unknown>>> {
  const body = JSON.stringify({ user_token: userToken, ...more });
  const headers = {
    accept: '*/*',
    'content-type': 'application/json',
    'content-length': String(body.length),
  };
  const text = await new Promise<string>((resolve, reject) => {
    const outgoing = request(`${url}/userIdentifier/token`, { method: 'POST', headers, agent: false });
    outgoing.on('error', reject);
    outgoing.on('response', (incoming) => {
      let answer = '';
      incoming.setEncoding('utf8').on('data', (chunk: string) => (answer += chunk));
      incoming.on('end', () =>
        incoming.statusCode === 200
          ? resolve(answer)
          : reject(new Error(`${incoming.statusCode}: ${answer}`)),
      );
    });
    outgoing.end(body);
  });
  return JSON.parse(text) as Record<string, unknown>;
}

/** Makes users known here: each has an app that posted a token. Gives the sign-in links. */
export async function known(world: World, ...usernames: readonly string[]): Promise<readonly string[]> {
  const links: string[] = [];
  for (const username of usernames) {
    const answer = await programPosts(world, await world.tokenOf(username));
    links.push(String(answer.sign_in_url));
  }
  return links;
}

/** The agent opens a flow with this token and the person consents; gives the callback URL, not yet visited. */
export async function consent(world: World, userToken: string, customState?: string) {
  const flow: OpenedFlow = await world.agent.open(userToken, customState);
  const { headers } = await new Browser().send(flow.authorizationUrl, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: 'decision=allow',
  });
  return { flow, callback: String(headers.location) };
}

/** Posts a form as a page would that says this about itself; no redirects. */
export function post(
  browser: Browser,
  url: string,
  fields: Readonly<Record<string, string>> | readonly (readonly [string, string])[],
  headers: Readonly<Record<string, string | undefined>> = {},
): Promise<Page> {
  const own = {
    accept: 'text/html',
    'content-type': 'application/x-www-form-urlencoded',
    origin: new URL(url).origin,
    'sec-fetch-site': 'same-origin',
    'sec-fetch-mode': 'navigate',
    'sec-fetch-dest': 'document',
    ...headers,
  };
  const sent = Object.entries(own).filter((pair): pair is [string, string] => pair[1] !== undefined);
  const form = new URLSearchParams();
  for (const [name, value] of Array.isArray(fields) ? fields : Object.entries(fields))
    form.append(name, value);
  return browser.send(url, {
    method: 'POST',
    headers: Object.fromEntries(sent),
    body: form.toString(),
  });
}

/** What this browser is, by the service's own page: a name, or undefined for nobody. */
export async function whoIs(browser: Browser, { url }: World): Promise<string | undefined> {
  const { body } = await browser.open(`${url}/sign-in`);
  return /finished for\s+<bdi class="name">([^<]*)<\/bdi>/.exec(body)?.[1];
}

/** Counts what is written for browsers: sessions, codes, people. */
export function countingWrites(counts: { writes: number }): (store: Store) => Store {
  return (store) => ({
    ...store,
    browserSessions: {
      ...store.browserSessions,
      write: (...args) => {
        counts.writes += 1;
        return store.browserSessions.write(...args);
      },
    },
    signInCodes: {
      ...store.signInCodes,
      writeCode: (...args) => {
        counts.writes += 1;
        return store.signInCodes.writeCode(...args);
      },
      takeCode: (...args) => {
        counts.writes += 1;
        return store.signInCodes.takeCode(...args);
      },
    },
  });
}
