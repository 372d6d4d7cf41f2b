import type { Attempt } from './attempt.ts';
import type { AuthorizationSession } from './authorization-session.ts';
import type { BindingCode, Outcome } from './outcome.ts';
import type { Pin } from './pin.ts';
import type { StartCode } from './start-flow.ts';
import type { Secret } from './secret.ts';
import type { User } from './user.ts';
import type { UserToken } from './user-token.ts';

/** What AgentCore made of one call of CompleteResourceTokenAuth. */
export type CompletionAnswer =
  | { readonly kind: 'completed'; readonly awsRequestId: string }
  /** AccessDenied "Invalid or expired session": wrong token, other user, expired, unknown or used. */
  | { readonly kind: 'wrong_artifact' }
  /** ValidationException, ResourceNotFoundException. */
  | { readonly kind: 'gone' }
  /** UnauthorizedException: AgentCore does not accept this user token at all. */
  | { readonly kind: 'token_refused' }
  /** AccessDenied for want of IAM or secret access; `permission` where the message names it. */
  | { readonly kind: 'forbidden'; readonly permission?: string }
  /**
   * Nothing that AWS confirmed. `mayHaveBound` unless the call certainly did not take effect; `retryAfterMs` where the
   * answer asked for a pause.
   */
  | {
      readonly kind: 'unavailable';
      readonly mayHaveBound: boolean;
      readonly reason: string;
      readonly retryAfterMs?: number;
    };

/** Whose flow it is, to AgentCore: exactly what opened it. */
export type UserIdentifier =
  /** The JWT with which the agent was invoked. */
  | { readonly userToken: Secret }
  /** The user id that an agent on IAM passes on: the identifying claim (`USER_IDENTIFIER=id`). */
  | { readonly userId: string };

/**
 * Calls CompleteResourceTokenAuth once, with no retry of its own. Always resolves, and within the time of
 * `signal`; never says `completed` without AWS's request id (SB-23).
 */
export interface AuthorizationCompleter {
  complete(
    authorizationSession: AuthorizationSession,
    identifier: UserIdentifier,
    signal: AbortSignal,
  ): Promise<CompletionAnswer>;
}

/** The store does not answer or has no room. Every method of a store may throw it. */
export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable';
}

/**
 * User tokens, by user and fingerprint, until their `exp`. Guarantees: a token is never overwritten by another;
 * the newest eight of a user are kept; one with `pinnedUntilMs` is kept besides, until then (SB-13). A token that is
 * written again becomes the newest, and stays pinned as long as it was.
 */
export interface UserTokenStore {
  write(userToken: UserToken, pinnedUntilMs?: number): Promise<void>;
  read(user: User, fingerprint: string): Promise<UserToken | undefined>;
  /** The live ones, newest first. */
  list(user: User): Promise<readonly UserToken[]>;
  /** Sign-out: forgets every token of this user, pinned ones too. */
  removeAll(user: User): Promise<void>;
}

export type PinCreation =
  | { readonly kind: 'created' }
  /** The first pin of this authorization session, whoever made it. */
  | { readonly kind: 'exists'; readonly pin: Pin }
  | { readonly kind: 'too_many' };

/** Pins, by authorization session, for 24 hours, never evicted. `create` is atomic: the first one wins (SB-34). */
export interface PinStore {
  create(pin: Pin): Promise<PinCreation>;
  read(authorizationSessionKey: string): Promise<Pin | undefined>;
  /**
   * Until when this user's pin of that session lives or lived. One lookup, keyed by both: another user's pin and none
   * at all are the same miss (SB-30).
   */
  readLiveUntil(authorizationSessionKey: string, user: User): Promise<number | undefined>;
  /** Writes down which browser opened the start link last. False when that pin is not there any more. */
  start(pin: Pin, lineage: string): Promise<boolean>;
  /** Takes back a pin that was just created, when the rest of its request failed. Any other pin stays. */
  remove(pin: Pin): Promise<void>;
}

/**
 * `pinned`: the app has said that this flow is this user's. It needs no place in the quota of attempts, since pins have
 * a quota of their own: a page that sends a browser through made-up flows must not use up its user's real ones (SB-22).
 */
export type AttemptKind = 'pinned' | 'unpinned';

/** Attempts, by authorization session and user, for 24 hours, never evicted. Unpinned ones have a quota per user. */
export interface AttemptStore {
  read(authorizationSessionKey: string, user: User): Promise<Attempt | undefined>;
  /** Writes `next` if the record still equals `expected`: one atomic command (SB-08, SB-09). */
  compareAndSet(
    authorizationSessionKey: string,
    user: User,
    expected: Attempt | undefined,
    next: Attempt,
    kind?: AttemptKind,
  ): Promise<'written' | 'conflict' | 'too_many'>;
}

/** Who completed an authorization session, for 24 hours, never evicted. The first record stays. */
export interface CompletionStore {
  read(authorizationSessionKey: string): Promise<User | undefined>;
  record(authorizationSessionKey: string, user: User): Promise<void>;
}

/** The records of the domain. */
export interface BindingRecords {
  readonly userTokens: UserTokenStore;
  readonly pins: PinStore;
  readonly attempts: AttemptStore;
  readonly completions: CompletionStore;
}

/** Seals text so that only this service can make or read it (AES-256-GCM). */
export interface Sealer {
  seal(text: string): string;
  /** Undefined for anything that was not sealed here, or was changed since. */
  open(sealed: string): string | undefined;
}

/** Every decision leaves exactly one event. */
export interface BindingAudit {
  decided(event: {
    readonly requestId: string;
    readonly authorizationSession: AuthorizationSession | undefined;
    readonly outcome: Outcome;
    /** How long the visit took. */
    readonly durationMs: number;
  }): void;
  /** A start link was opened: `started`, or why not. */
  started(event: {
    readonly requestId: string;
    readonly authorizationSessionKey: string | undefined;
    readonly user: User | undefined;
    readonly code: StartCode;
  }): void;
  /** AgentCore answered, and how the visit ended could not be written down. */
  recordLost(event: {
    readonly requestId: string;
    readonly authorizationSession: AuthorizationSession;
    readonly code: BindingCode;
  }): void;
}
