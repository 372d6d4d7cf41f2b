import { denyAttempt } from './attempt.ts';
import type { AuthorizationSession } from './authorization-session.ts';
import { type Candidates, findCandidates } from './candidates.ts';
import { completeOnce, type CompleteOnceDeps } from './complete-once.ts';
import { type CustomState, openCustomState } from './custom-state.ts';
import type { BindingCode, Outcome } from './outcome.ts';
import { flowFacts, type Pin } from './pin.ts';
import type { BindingRecords, Sealer } from './ports.ts';
import { isSameUser, type User, userDigest } from './user.ts';

/** One visit of the callback, after HTTP has been checked. */
export interface CallbackVisit {
  readonly requestId: string;
  /** Who sits at the browser, by the cookie alone (SB-01). */
  readonly browserSession:
    { readonly user: User; readonly tokenExpiresAtMs?: number; readonly lineage: string } | undefined;
  /** May be missing only beside `consentError`. */
  readonly authorizationSession: AuthorizationSession | undefined;
  /** The callback's `error` parameter. Anybody can write it into a link. */
  readonly consentError: string | undefined;
  /** A state with our prefix. Anybody can carry it into a link. */
  readonly customState: string | undefined;
}

export interface BindDeps extends BindingRecords, CompleteOnceDeps {
  readonly customStateSealer: Sealer;
  readonly requirePin: boolean;
  /** What completes a flow: one of the user's tokens, or the id that his identity holds (`USER_IDENTIFIER`). */
  readonly userIdentifier: 'token' | 'id';
  /** The whole callback, in milliseconds. */
  readonly budgetMs: number;
}

/** May this browser bind this authorization session? If so, binds it. One audit event either way. */
export async function bindAuthorization(visit: CallbackVisit, deps: BindDeps): Promise<Outcome> {
  const startedMs = deps.clock.monotonicMs();
  // From the first look into the store on, so that a slow one leaves less for AgentCore.
  const deadline = deps.clock.deadline(deps.budgetMs);
  const { requestId, authorizationSession, browserSession } = visit;
  try {
    const pin = browserSession && authorizationSession && (await deps.pins.read(authorizationSession.key));
    const decided = await decide(visit, pin, deadline.signal, deps);
    // Whoever opened somebody else's link learns neither its label nor where its app is (SB-18).
    const isOwn =
      pin !== undefined && browserSession !== undefined && isSameUser(pin.user, browserSession.user);
    const flow = isOwn ? flowFacts(pin) : undefined;
    const outcome = flow === undefined ? decided : { ...decided, flow };
    const durationMs = Math.round(deps.clock.monotonicMs() - startedMs);
    deps.audit.decided({ requestId, authorizationSession, outcome, durationMs });
    return outcome;
  } finally {
    deadline.end();
  }
}

/** The rule (contract §2) in its order of checks. All but the last line can only refuse. */
async function decide(
  visit: CallbackVisit,
  pin: Pin | undefined,
  signal: AbortSignal,
  deps: BindDeps,
): Promise<Outcome> {
  const { authorizationSession: session, browserSession } = visit;

  // Only the cookie says who somebody is; whatever the URL carries travels with a forwarded link (SB-01, SB-02).
  if (browserSession === undefined) return refuse('not_signed_in');
  const { user } = browserSession;

  // A second visit shows the first result, and only to the user whose result it is (SB-08).
  const completedBy = session && (await deps.completions.read(session.key));
  if (completedBy !== undefined) {
    if (!isSameUser(completedBy, user)) return refuse('user_mismatch', user, 'completion');
    return { code: 'completed', reason: 'already', user, calls: [] };
  }

  if (visit.consentError !== undefined || session === undefined)
    return endConsent(visit, browserSession, pin, deps);

  // A state of ours can veto, and pick among this user's own tokens: no more (SB-02).
  let state: CustomState | undefined;
  if (visit.customState !== undefined) {
    state = openCustomState(visit.customState, deps.customStateSealer);
    if (state === undefined) return refuse('state_invalid', user);
    if (state.userDigest !== userDigest(user)) return refuse('user_mismatch', user, 'state');
    if (state.tokenExpiresAtMs <= deps.clock.nowMs()) return refuse('token_expired', user, 'state');
  }

  // Another user's flow in this browser is the attack this service exists for (SB-01).
  if (pin === undefined && deps.requirePin) return refuse('pin_required', user);
  if (pin !== undefined && !isSameUser(pin.user, user)) return refuse('user_mismatch', user, 'pin');
  if (pin !== undefined && pin.liveUntilMs <= deps.clock.nowMs()) {
    return refuse('authorization_expired', user, 'pin');
  }
  // Her other browser may be one in which somebody else sits by now: what was started here ends here.
  if (pin !== undefined && isStartedElsewhere(pin, browserSession.lineage)) {
    return refuse('browser_mismatch', user, 'pin');
  }

  // The id is the claim of the identity, whose ways to be made are all verified: never anything of the request (SB-02).
  const candidates: Candidates =
    deps.userIdentifier === 'id'
      ? { kind: 'found', identifiers: [{ userId: user.subject }] }
      : await findCandidates(user, pin, state, browserSession.tokenExpiresAtMs, deps);
  if (candidates.kind === 'none') return refuse(candidates.code, user, 'candidates');

  const kind = pin === undefined ? ('unpinned' as const) : ('pinned' as const);
  const permitted = {
    kind,
    requestId: visit.requestId,
    session,
    user,
    candidates: candidates.identifiers,
    signal,
  };
  return completeOnce(permitted, deps);
}

/**
 * Consent was declined or went wrong. Anybody can forge this link, so it ends nothing: a denial is noted for the
 * pinned user alone, in the browser that started the flow, and a later success overwrites it.
 */
async function endConsent(
  visit: CallbackVisit,
  { user, lineage }: NonNullable<CallbackVisit['browserSession']>,
  pin: Pin | undefined,
  deps: BindDeps,
): Promise<Outcome> {
  if (visit.consentError !== 'access_denied') return refuse('consent_failed', user);
  const isOwn = pin !== undefined && isSameUser(pin.user, user) && !isStartedElsewhere(pin, lineage);
  if (isOwn) await noteDenial(pin, user, deps);
  return refuse('consent_denied', user);
}

function isStartedElsewhere({ startedIn }: Pin, lineage: string): boolean {
  return startedIn !== undefined && startedIn !== lineage;
}

async function noteDenial({ authorizationSessionKey: key }: Pin, user: User, deps: BindDeps): Promise<void> {
  const found = await deps.attempts.read(key, user);
  const denied = denyAttempt(found);
  // On a conflict somebody is binding at this moment, and his result is worth more than this note.
  if (denied !== undefined) await deps.attempts.compareAndSet(key, user, found, denied, 'pinned');
}

function refuse(code: Exclude<BindingCode, 'completed'>, user?: User, reason?: string): Outcome {
  return {
    code,
    calls: [],
    ...(user === undefined ? {} : { user }),
    ...(reason === undefined ? {} : { reason }),
  };
}
