import { Signer } from '@fastify/cookie';
import { Secret } from '../../src/binding/secret.ts';
import { Browser } from '../../src/demo/browser.ts';
import { deriveKey } from '../../src/sealing/derive-key.ts';
import { callbackOf, unknownSessionId } from './consent.ts';
import type { World } from './world.ts';

/** The parts of a `Set-Cookie` line, in its order. */
export function partsOf(line: string | string[] | undefined): readonly string[] {
  return [line ?? []].flat().join(', ').split('; ');
}

/** The cookie of a browser session as it stands in the jar, `id.signature`, percent-encoded. */
export function sessionCookie(browser: Browser, url: string): string {
  const value = browser.cookies(url).get('session-binding');
  if (value === undefined) throw new Error('the browser carries no browser session');
  return value;
}

/** The id in that cookie, which no store may learn. */
export function idIn(cookie: string): string {
  return decodeURIComponent(cookie).split('.')[0] ?? '';
}

/** A cookie value of that id, genuinely signed with this secret. */
export function signedCookie(id: string, secret: string): string {
  const key = deriveKey(new Secret(secret), 'cookie', 32).toString('base64url');
  return encodeURIComponent(new Signer([key]).sign(id));
}

/** Who sits at a browser that sends this `Cookie` header, by what the callback says of him; undefined: nobody. */
export async function whoIs(world: World, cookie: string | undefined): Promise<string | undefined> {
  const page = await new Browser().send(callbackOf(world.url, unknownSessionId()), {
    headers: { accept: 'text/html', ...(cookie === undefined ? {} : { cookie }) },
  });
  if (page.status === 401 && page.body.includes('We do not know this browser')) return undefined;
  const name = /Signed in as <bdi>([^<]*)<\/bdi>/.exec(page.body)?.[1];
  if (name === undefined) throw new Error(`the callback answered ${page.status}: ${page.body}`);
  return name;
}
