import { onTestFinished } from 'vitest';
import { Agent } from '../../src/demo/agent.ts';
import { type AgentCoreStandIn, startAgentCore } from '../../src/emulator/agentcore.ts';
import { type Issuer, startIssuer } from '../../src/emulator/issuer.ts';
import { type RunningCommand, startCommand } from './built-command.ts';
import { freePort } from './free-port.ts';
import { until } from './until.ts';

type Env = Readonly<Record<string, string | undefined>>;

export const SESSION_SECRET = 'wV3kZ8rN1xQ6yB4tM9cH2pL7sD5fJ0gA';
export const AWS_SECRET = 'kP4nR7vX2bT9wL5cJ8mZ1qH6dS3fG0yE';
export const CLIENT_ID = 'web-client';

/** What the built command needs beside it: an issuer, AgentCore, and an environment that names both. */
export interface Surroundings {
  readonly issuer: Issuer;
  readonly agentcore: AgentCoreStandIn;
  readonly port: number;
  readonly url: string;
  readonly env: Env;
}

export async function startSurroundings(): Promise<Surroundings> {
  const [issuer, agentcore, port] = await Promise.all([startIssuer(), startAgentCore(), freePort()]);
  onTestFinished(async () => {
    await Promise.all([issuer.close(), agentcore.close()]);
  });
  const url = `http://localhost:${port}`;
  const env = {
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'AKIDTEST',
    AWS_SECRET_ACCESS_KEY: AWS_SECRET,
    AWS_ENDPOINT_URL_BEDROCK_AGENTCORE: agentcore.endpoint,
    PORT: String(port),
    PUBLIC_URL: url,
    JWT_DISCOVERY_URL: issuer.discoveryUrl,
    JWT_ALLOWED_CLIENTS: CLIENT_ID,
    SESSION_SECRET,
    STORE_URL: 'memory:?replicas=1',
  };
  return { issuer, agentcore, port, url, env };
}

export interface BuiltService extends Surroundings {
  readonly command: RunningCommand;
  readonly agent: Agent;
}

/** `serve` as a process of its own, in these surroundings; returns once `/ready` says so. */
export async function startBuiltService(changes: Env = {}): Promise<BuiltService> {
  const surroundings = await startSurroundings();
  const { agentcore, env, url } = surroundings;
  const returnUrl = `${url}/oauth2/callback`;
  agentcore.returnUrls.add(returnUrl);
  const command = startCommand(['serve'], { ...env, ...changes });
  await until('/ready', () =>
    statusOf(`${url}/ready`).then((status) => (status === 200 ? status : undefined)),
  );
  const agent = new Agent({ endpoint: agentcore.endpoint, returnUrl });
  onTestFinished(() => agent.close());
  return { ...surroundings, command, agent };
}

/** The status of a GET, or undefined while nobody listens. */
export function statusOf(url: string): Promise<number | undefined> {
  return fetch(url).then(
    ({ status }) => status,
    () => undefined,
  );
}
