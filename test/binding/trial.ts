import { expect } from 'vitest';
import {
  type AuthorizationSession,
  parseAuthorizationSession,
} from '../../src/binding/authorization-session.ts';
import { bindAuthorization, type BindDeps } from '../../src/binding/bind.ts';
import { keepUserToken, type KeptUserToken } from '../../src/binding/keep-user-token.ts';
import type { BindingCode, Outcome } from '../../src/binding/outcome.ts';
import type { AnnouncedFlow } from '../../src/binding/pin.ts';
import type { BindingAudit, BindingRecords, Sealer } from '../../src/binding/ports.ts';
import { createRetryBudget } from '../../src/binding/retry-budget.ts';
import { Secret } from '../../src/binding/secret.ts';
import type { User } from '../../src/binding/user.ts';
import { tokenFingerprint, type UserToken } from '../../src/binding/user-token.ts';
import { createSealer } from '../../src/sealing/sealer.ts';
import { createMemoryStore } from '../../src/store/memory-store.ts';
import { systemRandomness } from '../../src/system.ts';
import { createScriptedAgentCore, type ScriptedAgentCore } from './scripted-agentcore.ts';
import { createVirtualClock, type VirtualClock } from './virtual-clock.ts';

export const ALICE: User = { issuer: 'https://issuer.example', subject: 'alice' };
export const MALLORY: User = { issuer: 'https://issuer.example', subject: 'mallory' };

const SECRET = new Secret('a-test-secret-that-is-long-enough-0123456789');

type Decision = Parameters<BindingAudit['decided']>[0];
type LostRecord = Parameters<BindingAudit['recordLost']>[0];

interface TrialVisit {
  /** Undefined: nobody is signed in. */
  readonly user: User | undefined;
  readonly authorizationSession?: AuthorizationSession;
  readonly state?: string;
  readonly error?: string;
  readonly tokenExpiresAtMs?: number;
  /** Of the browser; the same one unless said otherwise. */
  readonly lineage?: string;
  /** What is different on the replica that the load balancer picked. */
  readonly replica?: Partial<BindDeps>;
}

/** The rule over the real memory store and the real sealer, in virtual time, before a scripted AgentCore. */
export interface Trial {
  readonly clock: VirtualClock;
  readonly records: BindingRecords;
  readonly agentcore: ScriptedAgentCore;
  readonly sealer: Sealer;
  readonly decisions: readonly Decision[];
  readonly lostRecords: readonly LostRecord[];
  /** A user token that nobody else has. */
  token(user: User, ttlMs?: number): UserToken;
  /** `POST /userIdentifier/token`, behind its verification. */
  post(userToken: UserToken, flow?: AuthorizationSession | AnnouncedFlow): Promise<KeptUserToken>;
  /** A posted user token, the authorization session it opened and the state for it; a pin only where asked for. */
  flow(
    user: User,
    options?: { readonly pinned?: boolean; readonly ttlMs?: number },
  ): Promise<{
    readonly userToken: UserToken;
    readonly authorizationSession: AuthorizationSession;
    readonly state: string;
  }>;
  /** Begins a visit of the callback; time must move for it to wait. */
  begin(visit: TrialVisit): Promise<Outcome>;
  /** A whole visit: its code, after looking that it left exactly one audit event. */
  visit(visit: TrialVisit): Promise<BindingCode>;
  /** The code of a visit that must not reach AgentCore. */
  refusal(visit: TrialVisit): Promise<BindingCode>;
}

export interface TrialOptions {
  readonly requirePin?: boolean;
  readonly userIdentifier?: BindDeps['userIdentifier'];
  readonly records?: (records: BindingRecords) => BindingRecords;
  readonly sealer?: Sealer;
}

const HOUR_MS = 60 * 60_000;
let serial = 0;

export function anAuthorizationSession(): AuthorizationSession {
  const parsed = parseAuthorizationSession(`urn:ietf:params:oauth:request_uri:${(serial += 1)}`);
  if (parsed === undefined) throw new Error('not well-formed');
  return parsed;
}

export function createTrial(options: TrialOptions = {}): Trial {
  const clock = createVirtualClock();
  const agentcore = createScriptedAgentCore(clock);
  const sealer = options.sealer ?? createSealer([SECRET], 'custom-state', systemRandomness);
  const startHandleSealer = createSealer([SECRET], 'start-handle', systemRandomness);
  const stored: BindingRecords = createMemoryStore(clock);
  const records = options.records?.(stored) ?? stored;
  const decisions: Decision[] = [];
  const lostRecords: LostRecord[] = [];
  const deps: BindDeps = {
    ...records,
    completer: agentcore,
    customStateSealer: sealer,
    audit: {
      decided: (event) => void decisions.push(event),
      started: () => undefined,
      recordLost: (event) => void lostRecords.push(event),
    },
    clock,
    randomness: systemRandomness,
    retries: createRetryBudget(clock),
    requirePin: options.requirePin ?? false,
    userIdentifier: options.userIdentifier ?? 'token',
    budgetMs: 10_000,
  };

  const trial: Trial = {
    clock,
    records: stored,
    agentcore,
    sealer,
    decisions,
    lostRecords,
    token(user, ttlMs = HOUR_MS) {
      const jwt = new Secret(`jwt-${(serial += 1)}-of-${user.subject}`);
      return { user, jwt, fingerprint: tokenFingerprint(jwt), expiresAtMs: clock.nowMs() + ttlMs };
    },
    post(userToken, flow) {
      const announced = flow !== undefined && 'key' in flow ? { authorizationSession: flow } : flow;
      return keepUserToken(userToken, announced, { ...deps, startHandleSealer });
    },
    async flow(user, { pinned = false, ttlMs = HOUR_MS } = {}) {
      const userToken = trial.token(user, ttlMs);
      const authorizationSession = anAuthorizationSession();
      agentcore.open(authorizationSession, userToken);
      const kept = await trial.post(userToken, pinned ? authorizationSession : undefined);
      if (kept.kind === 'refused') throw new Error(`the POST was refused: ${kept.code}`);
      return { userToken, authorizationSession, state: kept.customState };
    },
    begin: ({ user, authorizationSession, state, error, tokenExpiresAtMs, lineage, replica }) =>
      bindAuthorization(
        {
          requestId: `request-${(serial += 1)}`,
          browserSession: user && {
            user,
            tokenExpiresAtMs: tokenExpiresAtMs ?? clock.nowMs() + HOUR_MS,
            lineage: lineage ?? 'her-browser',
          },
          authorizationSession,
          consentError: error,
          customState: state,
        },
        { ...deps, ...replica },
      ),
    async visit(visit) {
      const before = decisions.length;
      const outcome = await clock.finish(trial.begin(visit));
      const { authorizationSession } = visit;
      expect(decisions.slice(before)).toEqual([
        { requestId: expect.any(String), authorizationSession, outcome, durationMs: expect.any(Number) },
      ]);
      if (visit.user !== undefined) expect(outcome.user).toEqual(visit.user);
      return outcome.code;
    },
    async refusal(visit) {
      const before = agentcore.calls.length;
      const code = await trial.visit(visit);
      expect(agentcore.calls.length, 'AgentCore must not be called').toBe(before);
      expect(decisions.at(-1)?.outcome.calls).toEqual([]);
      return code;
    },
  };
  return trial;
}
