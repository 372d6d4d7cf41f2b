import { randomBytes } from 'node:crypto';
import type { Unknowns } from './agentcore-unknowns.ts';
import { type AgentCoreStandIn, startAgentCore } from './agentcore.ts';
import { pushBounded } from './bounded-map.ts';
import type { EmulatedClient, EmulatedUser } from './cognito-pool.ts';
import { type Cognito, startCognito } from './cognito.ts';
import type { EmulatedCall } from './emulated-call.ts';
import { startGithub } from './github.ts';
import { startGoogle } from './google.ts';
import type { ResourceAccount } from './resource-accounts.ts';
import type { ResourceProvider } from './resource-provider.ts';

export interface EmulatorOptions {
  /** Of the Cognito user pool; alice and bob, whose passwords are their names, unless others are named. */
  readonly users?: readonly EmulatedUser[];
  /** App clients of the user pool. */
  readonly clients?: readonly EmulatedClient[];
  /** Accounts at the GitHub-like and the Google-like provider; alice and bob unless others are named. */
  readonly accounts?: readonly ResourceAccount[];
  /** Workload identities that are there from the beginning, as the control plane would have made them. */
  readonly workloads?: readonly { readonly name: string; readonly returnUrls: readonly string[] }[];
  /** Credential providers that are there from the beginning, each registered as an application at its provider. */
  readonly providers?: readonly {
    readonly name: string;
    readonly vendor: 'GithubOauth2' | 'GoogleOauth2';
  }[];
  readonly unknowns?: Partial<Unknowns>;
  /** Ports to listen on; free ones where not said. */
  readonly ports?: Partial<Record<EmulatedPart, number>>;
  /**
   * The names under which a browser knows each part, e.g. `github.localhost`: `*.localhost` names are sites of their
   * own, and behave to each other as real ones do.
   */
  readonly browserNames?: Partial<Record<EmulatedPart, string>>;
  readonly clock?: { nowMs(): number };
  /** Hears of each call once it is answered, as {@link Emulator.calls} keeps it. */
  readonly onCall?: (call: EmulatedCall) => void;
}

export type EmulatedPart = 'agentcore' | 'cognito' | 'github' | 'google';

/** AgentCore Identity and the world around it, on loopback. */
export interface Emulator {
  /** Both planes of AgentCore Identity. */
  readonly agentcore: AgentCoreStandIn;
  readonly cognito: Cognito;
  readonly github: ResourceProvider;
  readonly google: ResourceProvider;
  /** What was asked of whom, oldest first; no secrets. */
  readonly calls: readonly EmulatedCall[];
  /** Now, in this world. */
  nowMs(): number;
  /** Moves the time of all parts forward. */
  advance(ms: number): void;
  close(): Promise<void>;
}

const DEFAULT_USERS: readonly EmulatedUser[] = [
  { username: 'alice', password: 'alice' },
  { username: 'bob', password: 'bob' },
];

/** Starts everything; returns when all of it listens. */
export async function startEmulator(options: EmulatorOptions = {}): Promise<Emulator> {
  const { users = DEFAULT_USERS, clients = [], accounts, ports = {}, browserNames = {} } = options;
  const started = options.clock ?? { nowMs: () => Date.now() };
  let advancedMs = 0;
  const nowMs = () => started.nowMs() + advancedMs;
  const calls: EmulatedCall[] = [];
  const onCall = (call: EmulatedCall) => {
    pushBounded(calls, call);
    options.onCall?.(call);
  };
  const common = { clock: { nowMs }, onCall };
  const placeOf = (part: EmulatedPart) => ({
    ...common,
    ...(ports[part] === undefined ? {} : { port: ports[part] }),
    ...(browserNames[part] === undefined ? {} : { browserName: browserNames[part] }),
  });

  const parts: { close(): Promise<void> }[] = [];
  const close = async () => {
    await Promise.all(parts.map((part) => part.close()));
  };
  const keep = async <T extends { close(): Promise<void> }>(starting: Promise<T>): Promise<T> => {
    const part = await starting;
    parts.push(part);
    return part;
  };
  try {
    const cognito = await keep(startCognito({ ...placeOf('cognito'), users, clients }));
    const github = await keep(startGithub({ ...placeOf('github'), ...(accounts && { accounts }) }));
    const google = await keep(startGoogle({ ...placeOf('google'), ...(accounts && { accounts }) }));
    const vendors = {
      GithubOauth2: { authorizationServerMetadata: github.metadata },
      GoogleOauth2: { authorizationServerMetadata: google.metadata },
    };
    const { unknowns = {} } = options;
    const agentcore = await keep(startAgentCore({ ...placeOf('agentcore'), vendors, unknowns }));

    for (const { name, returnUrls } of options.workloads ?? []) agentcore.workloads.put(name, returnUrls);
    for (const { name, vendor } of options.providers ?? []) {
      const clientId = `agentcore-${name}`;
      const clientSecret = randomBytes(24).toString('base64url');
      const settings = { vendor, discovery: vendors[vendor], clientId, clientSecret };
      const redirectUris = [agentcore.callbackUrlOf(agentcore.providers.put(name, settings))];
      (vendor === 'GithubOauth2' ? github : google).addApp({ clientId, clientSecret, redirectUris });
    }
    const advance = (ms: number) => {
      advancedMs += ms;
    };
    return { agentcore, cognito, github, google, calls, nowMs, advance, close };
  } catch (error) {
    // One port is taken: the parts that have started leave theirs.
    await close();
    throw error;
  }
}
