import { randomBytes } from 'node:crypto';
import { parseJsonObject } from './agentcore-wire.ts';

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

export interface AuthorizationFlow {
  readonly sessionUri: string;
  readonly identity: WorkloadIdentity;
  readonly provider: string;
  readonly returnUrl: string;
  readonly customState: string | undefined;
  readonly createdAtMs: number;
  consent: 'awaited' | 'allowed' | 'denied';
  isUsed: boolean;
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

/** How a completion names the user. */
export type UserIdentifier = { readonly userToken: string } | { readonly userId: string };

const FLOW_TTL_MS = 10 * 60_000;

/** The state of the stand-in: workload access tokens, authorization sessions and token vaults. */
export class AgentCoreFlows {
  readonly #nowMs: () => number;
  readonly #identities = new Map<string, WorkloadIdentity>();
  readonly #flows = new Map<string, AuthorizationFlow>();
  readonly #bindings: Binding[] = [];

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  get bindings(): readonly Binding[] {
    return this.#bindings;
  }

  mintWorkloadAccessToken(identity: WorkloadIdentity): string {
    const workloadAccessToken = randomBytes(32).toString('base64url');
    this.#identities.set(workloadAccessToken, identity);
    return workloadAccessToken;
  }

  identityOf(workloadAccessToken: string): WorkloadIdentity | undefined {
    return this.#identities.get(workloadAccessToken);
  }

  openFlow(
    flow: Pick<AuthorizationFlow, 'identity' | 'provider' | 'returnUrl' | 'customState'>,
  ): AuthorizationFlow {
    const opened: AuthorizationFlow = {
      ...flow,
      sessionUri: `urn:ietf:params:oauth:request_uri:${randomBytes(24).toString('base64url')}`,
      createdAtMs: this.#nowMs(),
      consent: 'awaited',
      isUsed: false,
    };
    this.#flows.set(opened.sessionUri, opened);
    return opened;
  }

  flowOf(sessionUri: string): AuthorizationFlow | undefined {
    return this.#flows.get(sessionUri);
  }

  isLive(flow: AuthorizationFlow): boolean {
    return !flow.isUsed && this.#nowMs() - flow.createdAtMs < FLOW_TTL_MS;
  }

  /**
   * Binds if the flow is live, consented and opened with this very artifact. Which of these failed is not told.
   * @NOTE live: here a refused attempt does not burn the session, an expired original JWT is accepted, and a
   * second completion is refused.
   */
  bind(sessionUri: string, user: UserIdentifier): 'bound' | 'invalid_or_expired' {
    const flow = this.#flows.get(sessionUri);
    if (flow === undefined || !this.isLive(flow) || flow.consent !== 'allowed') return 'invalid_or_expired';
    const { owner, artifact } = flow.identity;
    const isOriginal =
      'userToken' in user
        ? owner.kind === 'jwt' && user.userToken === artifact
        : owner.kind === 'user_id' && user.userId === artifact;
    if (!isOriginal) return 'invalid_or_expired';

    flow.isUsed = true;
    this.#bindings.push({
      sessionUri,
      workloadName: flow.identity.workloadName,
      owner,
      provider: flow.provider,
      accessToken: `resource-${randomBytes(24).toString('base64url')}`,
      atMs: this.#nowMs(),
    });
    return 'bound';
  }

  /** The newest token in this identity's vault. */
  accessTokenOf(identity: WorkloadIdentity, provider: string): string | undefined {
    return this.#bindings.findLast(
      (binding) =>
        binding.provider === provider &&
        binding.workloadName === identity.workloadName &&
        isSameOwner(binding.owner, identity.owner),
    )?.accessToken;
  }
}

export function isSameOwner(a: VaultOwner, b: VaultOwner): boolean {
  if (a.kind === 'jwt') return b.kind === 'jwt' && a.issuer === b.issuer && a.subject === b.subject;
  return b.kind === 'user_id' && a.userId === b.userId;
}

/** Issuer and subject of a JWT. Does not verify it: AgentCore does that where the agent is invoked. */
export function ownerOfJwt(jwt: string): VaultOwner | undefined {
  const [header, payload, signature, ...rest] = jwt.split('.');
  if (!header || !payload || !signature || rest.length > 0) return undefined;
  const claims = parseJsonObject(Buffer.from(payload, 'base64url').toString('utf8'));
  const { iss: issuer, sub: subject } = claims ?? {};
  if (typeof issuer !== 'string' || typeof subject !== 'string') return undefined;
  return { kind: 'jwt', issuer, subject };
}
