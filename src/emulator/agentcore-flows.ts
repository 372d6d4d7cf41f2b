import { randomBytes } from 'node:crypto';
import type { ResourceGrant } from './agentcore-exchange.ts';
import type { Unknowns } from './agentcore-unknowns.ts';
import { BoundedMap, pushBounded } from './bounded-map.ts';
import { type JsonObject, parseJsonObject } from './message-body.ts';

/** Whose vault it is: the issuer and `sub` of a JWT, or a plain user id of the workload. */
export type VaultOwner =
  | { readonly kind: 'jwt'; readonly issuer: string; readonly subject: string }
  | { readonly kind: 'user_id'; readonly userId: string };

/** What a workload access token was made from. `artifact` is the very JWT or user id, character by character. */
export interface WorkloadIdentity {
  readonly workloadName: string;
  readonly owner: VaultOwner;
  readonly artifact: string;
}

/** What a workload access token without a user says. */
export type NamelessIdentity = Pick<WorkloadIdentity, 'workloadName'>;

export interface AuthorizationFlow {
  readonly sessionUri: string;
  /** The `state` between AgentCore and the authorization server; nobody else's. */
  readonly providerState: string;
  readonly identity: WorkloadIdentity;
  readonly provider: string;
  readonly scopes: readonly string[];
  readonly returnUrl: string;
  readonly customState: string | undefined;
  readonly customParameters: Readonly<Record<string, string>>;
  readonly createdAtMs: number;
  consent: 'awaited' | 'allowed' | 'denied';
  /** The authorization server's code; undefined where the consent was given at AgentCore's own page. */
  code: string | undefined;
  isUsed: boolean;
  isBurnt: boolean;
}

/** A completed flow: from now on this owner's agent works in the account of whoever consented. */
export interface Binding {
  readonly sessionUri: string;
  readonly workloadName: string;
  readonly owner: VaultOwner;
  readonly provider: string;
  readonly accessToken: string;
  readonly atMs: number;
}

interface StoredBinding extends Binding {
  readonly scopes: readonly string[];
  accessToken: string;
  grant: ResourceGrant;
}

/** How a completion names the user. */
export type UserIdentifier = { readonly userToken: string } | { readonly userId: string };

export type BindingVerdict = 'bound' | 'invalid_or_expired' | 'unauthorized' | 'no_grant';

const FLOW_TTL_MS = 10 * 60_000;

/** The state of the stand-in: workload access tokens, authorization sessions and token vaults. */
export class AgentCoreFlows {
  readonly #nowMs: () => number;
  readonly #unknowns: Readonly<Unknowns>;
  readonly #identities = new BoundedMap<string, WorkloadIdentity | NamelessIdentity>();
  readonly #flows = new BoundedMap<string, AuthorizationFlow>();
  readonly #byProviderState = new BoundedMap<string, AuthorizationFlow>();
  readonly #bindings: StoredBinding[] = [];

  constructor(nowMs: () => number, unknowns: Readonly<Unknowns>) {
    this.#nowMs = nowMs;
    this.#unknowns = unknowns;
  }

  get bindings(): readonly Binding[] {
    return this.#bindings;
  }

  get flows(): readonly AuthorizationFlow[] {
    return [...this.#flows.values()];
  }

  mintWorkloadAccessToken(identity: WorkloadIdentity | NamelessIdentity): string {
    const workloadAccessToken = randomBytes(32).toString('base64url');
    this.#identities.set(workloadAccessToken, identity);
    return workloadAccessToken;
  }

  identityOf(workloadAccessToken: string): WorkloadIdentity | NamelessIdentity | undefined {
    return this.#identities.get(workloadAccessToken);
  }

  openFlow(
    flow: Pick<
      AuthorizationFlow,
      'identity' | 'provider' | 'scopes' | 'returnUrl' | 'customState' | 'customParameters'
    >,
  ): AuthorizationFlow {
    const opened: AuthorizationFlow = {
      ...flow,
      sessionUri: `urn:ietf:params:oauth:request_uri:${randomBytes(24).toString('base64url')}`,
      providerState: randomBytes(24).toString('base64url'),
      createdAtMs: this.#nowMs(),
      consent: 'awaited',
      code: undefined,
      isUsed: false,
      isBurnt: false,
    };
    this.#flows.set(opened.sessionUri, opened);
    this.#byProviderState.set(opened.providerState, opened);
    return opened;
  }

  flowOf(sessionUri: string): AuthorizationFlow | undefined {
    return this.#flows.get(sessionUri);
  }

  flowOfProviderState(state: string): AuthorizationFlow | undefined {
    return this.#byProviderState.get(state);
  }

  isLive(flow: AuthorizationFlow): boolean {
    return !flow.isUsed && !flow.isBurnt && this.#nowMs() - flow.createdAtMs < FLOW_TTL_MS;
  }

  /**
   * Binds if the flow is live, consented and opened with this very artifact. Which of these failed is not told.
   * `obtainGrant` redeems the authorization server's code; nothing is bound where it gives nothing.
   */
  async bind(
    sessionUri: string,
    user: UserIdentifier,
    obtainGrant: (flow: AuthorizationFlow) => Promise<ResourceGrant | undefined>,
  ): Promise<BindingVerdict> {
    const flow = this.#flows.get(sessionUri);
    if (flow === undefined) return 'invalid_or_expired';
    const { owner, artifact } = flow.identity;
    const isOriginal =
      'userToken' in user
        ? owner.kind === 'jwt' && user.userToken === artifact
        : owner.kind === 'user_id' && user.userId === artifact;
    // @NOTE live: whether a second completion by its own user is refused.
    if (flow.isUsed && isOriginal && this.#unknowns.secondCompletion === 'accepted') return 'bound';
    if (!isOriginal || !this.isLive(flow) || flow.consent !== 'allowed') {
      // @NOTE live: whether a failed attempt burns the session.
      if (this.#unknowns.failedAttempt === 'burns_session') flow.isBurnt = true;
      return 'invalid_or_expired';
    }
    // @NOTE live: whether an expired original JWT is accepted.
    const { expiredOriginalJwt } = this.#unknowns;
    if (expiredOriginalJwt !== 'accepted' && owner.kind === 'jwt' && this.#hasExpired(artifact)) {
      return expiredOriginalJwt === 'unauthorized' ? 'unauthorized' : 'invalid_or_expired';
    }
    // Before anything is waited for: of two completions at once only one redeems the code.
    flow.isUsed = true;
    const grant = await obtainGrant(flow);
    if (grant === undefined) {
      flow.isUsed = false;
      return 'no_grant';
    }
    const { workloadName } = flow.identity;
    const { provider, scopes } = flow;
    const { accessToken } = grant;
    const atMs = this.#nowMs();
    const binding = { sessionUri, workloadName, owner, provider, scopes, accessToken, atMs, grant };
    pushBounded(this.#bindings, binding);
    return 'bound';
  }

  /** The newest token in this identity's vault; one that has expired is refreshed, or there is none. */
  async accessTokenOf(
    identity: WorkloadIdentity,
    provider: string,
    scopes: readonly string[],
    refresh: (grant: ResourceGrant) => Promise<ResourceGrant | undefined>,
  ): Promise<string | undefined> {
    const binding = this.#bindings.findLast(
      (candidate) =>
        candidate.provider === provider &&
        candidate.workloadName === identity.workloadName &&
        isSameOwner(candidate.owner, identity.owner) &&
        // @NOTE live: whether a stored consent answers for scopes that it lacks.
        (this.#unknowns.scopesBeyondStoredConsent === 'ignored' ||
          scopes.every((scope) => candidate.scopes.includes(scope))),
    );
    if (binding === undefined) return undefined;
    if (binding.grant.expiresAtMs > this.#nowMs()) return binding.accessToken;
    const refreshed = await refresh(binding.grant);
    if (refreshed === undefined) return undefined;
    binding.grant = refreshed;
    binding.accessToken = refreshed.accessToken;
    return refreshed.accessToken;
  }

  #hasExpired(jwt: string): boolean {
    const { exp } = claimsOf(jwt) ?? {};
    return typeof exp === 'number' && exp * 1000 <= this.#nowMs();
  }
}

export function isSameOwner(a: VaultOwner, b: VaultOwner): boolean {
  if (a.kind === 'jwt') return b.kind === 'jwt' && a.issuer === b.issuer && a.subject === b.subject;
  return b.kind === 'user_id' && a.userId === b.userId;
}

/** Issuer and subject of a JWT. Does not verify it: AgentCore does that where the agent is invoked. */
export function ownerOfJwt(jwt: string): VaultOwner | undefined {
  const { iss: issuer, sub: subject } = claimsOf(jwt) ?? {};
  if (typeof issuer !== 'string' || typeof subject !== 'string') return undefined;
  return { kind: 'jwt', issuer, subject };
}

function claimsOf(jwt: string): JsonObject | undefined {
  const [header, payload, signature, ...rest] = jwt.split('.');
  if (!header || !payload || !signature || rest.length > 0) return undefined;
  return parseJsonObject(Buffer.from(payload, 'base64url').toString('utf8'));
}
