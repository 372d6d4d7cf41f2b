import fastifyCookie, { type CookieSerializeOptions } from '@fastify/cookie';
import fastifySession from '@fastify/session';
import type { FastifyReply, FastifyRequest } from 'fastify';
import fastifyPlugin from 'fastify-plugin';
import type { Randomness } from '../binding/clock.ts';
import type { Secret } from '../binding/secret.ts';
import type { BrowserSession, BrowserSessionStore } from './browser-session.ts';
import { createSealer } from '../sealing/sealer.ts';
import { browserSessionCookie, hasContradictingCookies, lineageCookieName } from './cookie.ts';
import { createFastifySessionStore } from './fastify-session-store.ts';
import { createLineageCookie } from './lineage-cookie.ts';
import { createCookieSigner } from './read-browser-session.ts';

declare module 'fastify' {
  interface Session {
    browserSession?: BrowserSession;
  }
}

export interface BrowserSessionOptions {
  readonly publicUrl: string;
  readonly secrets: readonly [Secret, ...Secret[]];
  readonly ttlSeconds: number;
  readonly store: BrowserSessionStore;
  readonly randomness: Randomness;
}

const ID_BYTES = 24;

/**
 * @fastify/cookie and @fastify/session, set so that the contract's cookie comes out (§7). Register it in a scope of
 * the routes that need it: with the store down every request in that scope fails, and `/ping` must not.
 */
export const browserSessions = fastifyPlugin<BrowserSessionOptions>(
  async (app, { publicUrl, secrets, ttlSeconds, store, randomness }) => {
    const { name, secure } = browserSessionCookie(publicUrl);
    const signer = createCookieSigner(secrets);
    const lineage = {
      name: lineageCookieName(publicUrl),
      sealer: createSealer(secrets, 'lineage', randomness),
    };
    const attributes: CookieSerializeOptions = { path: '/', httpOnly: true, sameSite: 'lax', secure };

    await app.register(fastifyCookie);

    app.decorateRequest('lineageCookie');
    app.addHook('onRequest', (request, reply, done) => {
      dropOrRenew(request);
      ownAttributes(request, reply);
      request.lineageCookie = createLineageCookie(request, reply, lineage);
      done();
    });

    function dropOrRenew({ cookies, headers }: FastifyRequest): void {
      const value = cookies[name];
      if (value === undefined) return;
      if (hasContradictingCookies(headers.cookie, name)) {
        delete cookies[name];
        return;
      }
      // Signed with an older secret of SESSION_SECRET: the library would delete such a cookie, so it sees it as if
      // signed with the first. Nobody is signed out by a rotation (SB-14).
      const unsigned = signer.unsign(value);
      if (unsigned.valid && unsigned.renew) cookies[name] = signer.sign(unsigned.value);
    }

    /**
     * The library would leave out Max-Age, drop the cookie where a proxy ends TLS, and clear a __Host- cookie without
     * Secure, which browsers ignore: attributes follow PUBLIC_URL alone (SB-33).
     */
    function ownAttributes(request: FastifyRequest, reply: FastifyReply): void {
      const setCookie = reply.setCookie.bind(reply);
      reply.setCookie = (cookieName, value, own) =>
        setCookie(cookieName, value, { ...attributes, maxAge: own?.maxAge ?? ttlSeconds });
      // Before it sets the cookie of a new sign-in it clears that of the former: of two lines for one name in an
      // answer a proxy may keep either (RFC 6265 section 4.1.1).
      reply.clearCookie = (cookieName) =>
        cookieName === name && request.session?.isSaved()
          ? reply
          : setCookie(cookieName, '', { ...attributes, maxAge: 0 });
    }

    await app.register(fastifySession, {
      cookieName: name,
      secret: signer,
      idGenerator: () => randomness.id(ID_BYTES),
      store: createFastifySessionStore(store, ttlSeconds),
      // `secure: true` would mean no cookie at all behind a proxy; the hook above writes the attribute.
      cookie: { path: '/', secure: false },
      rolling: false,
      saveUninitialized: false,
    });
  },
  { name: 'browser-sessions', fastify: '5.x' },
);
