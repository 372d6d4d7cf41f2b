import type { FlowFacts } from './outcome.ts';
import { flowFacts } from './pin.ts';
import type { BindingAudit, CompletionStore, PinStore, Sealer } from './ports.ts';
import type { Secret } from './secret.ts';
import { openStartHandle } from './start-link.ts';
import { isSameUser, type User } from './user.ts';
import type { Clock } from './clock.ts';

export type StartCode =
  'started' | 'not_found' | 'not_signed_in' | 'user_mismatch' | 'authorization_expired' | 'completed';

/** How opening a start link ended. */
export type Start =
  | { readonly kind: 'started'; readonly authorizationUrl: Secret }
  | { readonly kind: 'stopped'; readonly code: Exclude<StartCode, 'started'>; readonly flow?: FlowFacts };

export interface StartVisit {
  readonly requestId: string;
  /** From the link. Anybody may have read it. */
  readonly handle: string;
  readonly browserSession: { readonly user: User; readonly lineage: string } | undefined;
}

export interface StartDeps {
  readonly pins: PinStore;
  readonly completions: CompletionStore;
  readonly startHandleSealer: Sealer;
  readonly audit: BindingAudit;
  readonly clock: Clock;
}

/**
 * Opens a start link: the authorization URL reaches the browser of its pinned user and nobody else's, since whoever
 * holds it could consent with an account of his own and send the callback to its user (SB-32).
 */
export async function startFlow(visit: StartVisit, deps: StartDeps): Promise<Start> {
  const key = openStartHandle(visit.handle, deps.startHandleSealer);
  const start = await decide(key, visit, deps);
  deps.audit.started({
    requestId: visit.requestId,
    authorizationSessionKey: key,
    user: visit.browserSession?.user,
    code: start.kind === 'started' ? 'started' : start.code,
  });
  return start;
}

async function decide(
  key: string | undefined,
  { browserSession }: StartVisit,
  { pins, completions, clock }: StartDeps,
): Promise<Start> {
  if (key === undefined) return stop('not_found');
  if (browserSession === undefined) return stop('not_signed_in');
  const { user, lineage } = browserSession;

  const pin = await pins.read(key);
  if (pin === undefined) return stop('not_found');
  if (!isSameUser(pin.user, user)) return stop('user_mismatch');
  const flow = flowFacts(pin);
  const completedBy = await completions.read(key);
  if (completedBy !== undefined) {
    return isSameUser(completedBy, user) ? stop('completed', flow) : stop('user_mismatch');
  }
  if (pin.liveUntilMs <= clock.nowMs()) return stop('authorization_expired', flow);
  // Handles are made for pins with a URL; one that has lost it since is a pin that was taken back and made anew.
  if (pin.authorizationUrl === undefined || !(await pins.start(pin, lineage))) return stop('not_found');
  return { kind: 'started', authorizationUrl: pin.authorizationUrl };
}

function stop(code: Exclude<StartCode, 'started'>, flow?: FlowFacts): Start {
  return { kind: 'stopped', code, ...(flow === undefined ? {} : { flow }) };
}
