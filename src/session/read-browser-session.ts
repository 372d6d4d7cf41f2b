import { fastifyCookie, Signer } from '@fastify/cookie';
import type { Secret } from '../binding/secret.ts';
import { digest } from '../binding/digest.ts';
import { deriveKey } from '../sealing/derive-key.ts';
import type { BrowserSession, BrowserSessionStore } from './browser-session.ts';
import { browserSessionCookie, hasContradictingCookies } from './cookie.ts';

/** Signs and checks the ids in our cookies. */
export function createCookieSigner(secrets: readonly Secret[]): Signer {
  return new Signer(secrets.map((secret) => deriveKey(secret, 'cookie', 32).toString('base64url')));
}

export interface BrowserSessionReaderOptions {
  readonly publicUrl: string;
  readonly secrets: readonly Secret[];
  readonly store: Pick<BrowserSessionStore, 'read'>;
}

/**
 * Whose live browser session a `Cookie` header carries, for those who must know before the session plugin runs. Changes
 * nothing. Without our signature the store is not even asked, so nobody can make it search for ids of his own.
 */
export function createBrowserSessionReader({ publicUrl, secrets, store }: BrowserSessionReaderOptions) {
  const { name } = browserSessionCookie(publicUrl);
  const signer = createCookieSigner(secrets);

  return async (cookieHeader: string | undefined): Promise<BrowserSession | undefined> => {
    if (hasContradictingCookies(cookieHeader, name)) return undefined;
    const value = fastifyCookie.parse(cookieHeader ?? '')[name];
    const unsigned = value === undefined ? undefined : signer.unsign(value);
    return unsigned?.valid === true ? store.read(digest(unsigned.value)) : undefined;
  };
}
