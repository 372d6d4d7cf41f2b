import type { Logger } from 'pino';
import type { AuthorizationSession } from '../binding/authorization-session.ts';
import { shortFingerprint } from '../binding/digest.ts';
import type { BindingAudit } from '../binding/ports.ts';
import { type User, userDigest } from '../binding/user.ts';
import { type OutcomeCode, outcomeRow } from '../pages/outcomes.ts';

/** Audit events: one a decision, with fingerprints for everything that names a person or a flow (SB-16). */
export interface Audit extends BindingAudit {
  /** A posted user token was kept, or refused and why. */
  userTokenPosted(event: {
    readonly requestId: string;
    readonly code: OutcomeCode | 'kept';
    readonly reason?: string;
    readonly user?: User;
    readonly authorizationSession?: AuthorizationSession;
  }): void;
  /** A browser became somebody: by a link's code, as one of the people known here, by a login, or by its load balancer. */
  signedIn(event: {
    readonly requestId: string;
    readonly user: User;
    readonly by: 'code' | 'candidate' | 'login' | 'load_balancer';
  }): void;
  /** Every browser session of this user has ended; with `forgets` his tokens went, too. */
  signedOut(event: { readonly requestId: string; readonly user: User; readonly forgets: boolean }): void;
  /** A request came without an identity of the load balancer, and why: its browser is nobody (SB-20). */
  loadBalancerRefused(event: { readonly requestId: string; readonly reason: string }): void;
  /** A record of the store was not sealed here for its key, and counts as absent (SB-15). */
  recordUnreadable(event: { readonly kind: string }): void;
  /** A request was refused by its shape, before anything of the rule was asked. */
  requestRefused(event: {
    readonly requestId: string;
    readonly code: OutcomeCode;
    readonly reason?: string;
  }): void;
  /** A bug of ours, or a store that is down, ended a request: the only errors worth a stack. */
  requestFailed(event: {
    readonly requestId: string;
    readonly code: OutcomeCode;
    readonly error: unknown;
  }): void;
}

export function createAudit(logger: Logger): Audit {
  return {
    decided({ requestId, authorizationSession, outcome, durationMs }) {
      const { code, reason, user, calls } = outcome;
      logger[outcomeRow(code).logLevel](
        {
          event: 'callback',
          code,
          reason,
          ...names(requestId, user, authorizationSession),
          duration_ms: durationMs,
          calls,
        },
        `callback: ${code}`,
      );
    },
    started({ requestId, authorizationSessionKey: key, user, code }) {
      logger[code === 'started' ? 'info' : outcomeRow(code).logLevel](
        { event: 'start', code, ...names(requestId, user, key === undefined ? undefined : { key }) },
        `start link: ${code}`,
      );
    },
    recordLost({ requestId, authorizationSession, code }) {
      logger.error(
        { event: 'record_lost', code, ...names(requestId, undefined, authorizationSession) },
        `AgentCore answered, and the end of this callback could not be written down: ${code}`,
      );
    },
    userTokenPosted({ requestId, code, reason, user, authorizationSession }) {
      const level = code === 'kept' ? 'info' : outcomeRow(code).logLevel;
      logger[level](
        { event: 'user_token', code, reason, ...names(requestId, user, authorizationSession) },
        `user token: ${code}`,
      );
    },
    signedIn({ requestId, user, by }) {
      logger.info({ event: 'sign_in', by, ...names(requestId, user, undefined) }, 'signed in');
    },
    signedOut({ requestId, user, forgets }) {
      logger.info({ event: 'sign_out', forgets, ...names(requestId, user, undefined) }, 'signed out');
    },
    loadBalancerRefused({ requestId, reason }) {
      logger.warn(
        { event: 'load_balancer_identity', reason, request_id: requestId },
        'no identity of the load balancer: the browser is nobody',
      );
    },
    recordUnreadable({ kind }) {
      logger.warn(
        { event: 'record_unreadable', kind },
        'a record of the store was not written with these secrets for its key, and counts as absent',
      );
    },
    requestRefused({ requestId, code, reason }) {
      logger[outcomeRow(code).logLevel](
        { event: 'refused', code, reason, request_id: requestId },
        `refused: ${code}`,
      );
    },
    requestFailed({ requestId, code, error }) {
      logger.error({ event: 'error', code, err: error, request_id: requestId }, `error: ${code}`);
    },
  };
}

function names(
  requestId: string,
  user: User | undefined,
  session: Pick<AuthorizationSession, 'key'> | undefined,
) {
  return {
    request_id: requestId,
    user: user && shortFingerprint(userDigest(user)),
    authorization_session: session && shortFingerprint(session.key),
  };
}
