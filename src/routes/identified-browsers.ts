import type { FastifyReply, FastifyRequest } from 'fastify';
import fastifyPlugin from 'fastify-plugin';
import type { Clock } from '../binding/clock.ts';
import { isSameUser, type User } from '../binding/user.ts';
import type { LoadBalancerVerifier } from '../load-balancer/identity-verifier.ts';
import { type BrowserSessionOptions, browserSessions } from '../session/plugin.ts';
import { signIn } from '../session/sign-in.ts';
import type { Audit } from '../telemetry/audit.ts';
import { sendOutcome } from './answer.ts';
import type { Forwarded } from './forwarded.ts';

export interface IdentifiedBrowsersOptions {
  readonly browserSession: BrowserSessionOptions;
  /** Undefined: the cookie says who somebody is. */
  readonly loadBalancer: LoadBalancerSignInOptions | undefined;
}

export interface LoadBalancerSignInOptions {
  readonly verifier: LoadBalancerVerifier;
  readonly forwarded: Forwarded;
  readonly clock: Clock;
  readonly audit: Audit;
}

const HEADER = 'x-amzn-oidc-data';

/** For the scope of routes that ask `browserIdentity`: browser sessions, and who vouches for them. */
export const identifiedBrowsers = fastifyPlugin<IdentifiedBrowsersOptions>(
  async (app, { browserSession, loadBalancer }) => {
    await app.register(browserSessions, browserSession);
    if (loadBalancer === undefined) return;
    const { verifier, forwarded, clock, audit } = loadBalancer;

    // The header is the browser's identity, and without a good one the browser is nobody, whatever its cookie says:
    // whoever signed out at the load balancer, or came around it, has no other way in (contract §7, SB-20).
    app.addHook('onRequest', async (request, reply) => {
      const refuse = (reason: string) => audit.loadBalancerRefused({ requestId: request.id, reason });
      const [header, ...others] = forwarded.lines(request.raw, HEADER);
      if (header === undefined) return refuse('header_missing');
      // One of them is the client's own, and nobody can tell which.
      if (others.length > 0) return refuse('header_doubled');
      const verification = await verifier.verify(header);
      switch (verification.kind) {
        case 'invalid':
          return refuse(verification.reason);
        case 'issuer_unavailable':
          return unavailable(request, reply, verification.reason);
        case 'verified':
          await adopt(request, verification.user, verification.username);
      }
    });

    function unavailable(request: FastifyRequest, reply: FastifyReply, reason: string): FastifyReply {
      audit.requestRefused({ requestId: request.id, code: 'issuer_unavailable', reason });
      return sendOutcome(request, reply, 'issuer_unavailable');
    }

    /** A browser session of this user, and no other one, stands behind the header from now on. */
    async function adopt(request: FastifyRequest, user: User, username: string | undefined): Promise<void> {
      const current = request.session.browserSession;
      if (current === undefined || !isSameUser(current.user, user)) {
        await signIn(request, {
          user,
          ...(username === undefined ? {} : { username }),
          createdAtMs: clock.nowMs(),
          provisional: false,
        });
        audit.signedIn({ requestId: request.id, user, by: 'load_balancer' });
      }
      request.cookieCounts = true;
    }
  },
  { name: 'identified-browsers', fastify: '5.x' },
);
