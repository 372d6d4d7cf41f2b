import { fastifyCookie, Signer } from '@fastify/cookie';
import type { Secret } from '../binding/secret.ts';
import { digest } from '../binding/digest.ts';
import { deriveKey } from '../sealing/derive-key.ts';
import type { BrowserSession, BrowserSessionStore } from './browser-session.ts';
import { browserSessionCookie, hasContradictingCookies } from './cookie.ts';

/** Signs and checks the ids in our cookies. */
export function createCookieSigner(secrets: readonly Secret[]): CookieSigner {
  return new CookieSigner(
    new Signer(secrets.map((secret) => deriveKey(secret, 'cookie', 32).toString('base64url'))),
  );
}

const MOST_REMEMBERED = 256;

/**
 * Remembers the cookies that it found or made valid last: the session library checks each once more and then signs it
 * again. Whoever could learn something from how long a comparison takes here has the id already, which is the secret.
 */
export class CookieSigner {
  readonly #signer: Signer;
  readonly #signedById = new Map<string, string>();

  constructor(signer: Signer) {
    this.#signer = signer;
  }

  sign(id: string): string {
    return this.#signedById.get(id) ?? this.#remember(id, this.#signer.sign(id));
  }

  unsign(signed: string): ReturnType<Signer['unsign']> {
    const id = signed.slice(0, signed.lastIndexOf('.'));
    if (this.#signedById.get(id) === signed) return { valid: true, renew: false, value: id };
    const unsigned = this.#signer.unsign(signed);
    if (unsigned.valid && !unsigned.renew) this.#remember(id, signed);
    return unsigned;
  }

  #remember(id: string, signed: string): string {
    if (this.#signedById.size >= MOST_REMEMBERED) this.#signedById.clear();
    this.#signedById.set(id, signed);
    return signed;
  }
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
