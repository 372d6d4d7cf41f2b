import { randomBytes } from 'node:crypto';
import { createSessionBindingClient, type SessionBindingClient } from '../client/client.ts';
import { type Emulator, startEmulator } from '../emulator/emulator.ts';
import { Agent } from './agent.ts';
import type { Feed } from './feed.ts';
import { freePort } from './free-port.ts';
import { startServiceProcess } from './service-process.ts';

export interface World {
  readonly emulator: Emulator;
  /** Where browsers reach the service. */
  readonly serviceUrl: string;
  /** The agent of the page, and another one for the stories: neither finds what the other has connected. */
  readonly agent: Agent;
  readonly storyAgent: Agent;
  readonly client: SessionBindingClient;
  close(): Promise<void>;
}

export interface WorldOptions {
  /** Of the agent's page. */
  readonly pageUrl: string;
  readonly feed: Feed;
  readonly onProgress: (part: string, url: string) => void;
}

export const APP_CLIENT_ID = 'demo-app';
const LOGIN_CLIENT_ID = 'session-binding-login';

/** People's subjects: fixed, so that a token and a vault can be told to be somebody's. */
export function subjectOf(username: string): string {
  return `sub-of-${username}`;
}

/** Everything but the agent's page: AWS, Google, GitHub, and the service in a process of its own. */
export async function startWorld({ pageUrl, feed, onProgress }: WorldOptions): Promise<World> {
  const port = await freePort();
  const serviceUrl = `http://localhost:${port}`;
  const returnUrl = `${serviceUrl}/oauth2/callback`;
  const emulator = await startEmulator({
    users: ['alice', 'bob'].map((name) => ({ username: name, password: name, subject: subjectOf(name) })),
    clients: [
      { clientId: APP_CLIENT_ID, redirectUris: [`${pageUrl}/signed-in`], logoutUris: [`${pageUrl}/`] },
      {
        clientId: LOGIN_CLIENT_ID,
        redirectUris: [`${serviceUrl}/login/callback`],
        logoutUris: [`${serviceUrl}/sign-in`],
      },
    ],
    workloads: ['sales-agent', 'story-agent'].map((name) => ({ name, returnUrls: [returnUrl] })),
    providers: [
      { name: 'github', vendor: 'GithubOauth2' },
      { name: 'google', vendor: 'GoogleOauth2' },
    ],
    onCall: (call) => feed.call(call),
  });
  onProgress('AgentCore', emulator.agentcore.endpoint);
  onProgress('Cognito', emulator.cognito.endpoint);
  onProgress('GitHub', emulator.github.origin);
  onProgress('Google', emulator.google.origin);
  const { endpoint } = emulator.agentcore;
  try {
    const service = await startServiceProcess({
      port,
      agentcoreEndpoint: endpoint,
      discoveryUrl: emulator.cognito.discoveryUrl,
      clientId: APP_CLIENT_ID,
      sessionSecret: randomBytes(32).toString('base64url'),
      settings: { LOGIN_CLIENT_ID, LOGIN_SCOPES: 'openid profile', APP_URL: `${pageUrl}/` },
      onLine: (line) => feed.line(line),
    });
    onProgress('service', serviceUrl);
    const agent = new Agent({ endpoint, returnUrl });
    const storyAgent = new Agent({ endpoint, returnUrl, workloadName: 'story-agent' });
    return {
      emulator,
      serviceUrl,
      agent,
      storyAgent,
      client: createSessionBindingClient({ baseUrl: serviceUrl }),
      async close() {
        agent.close();
        storyAgent.close();
        await service.stop();
        await emulator.close();
      },
    };
  } catch (error) {
    await emulator.close();
    throw error;
  }
}
