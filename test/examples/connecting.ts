import { BedrockAgentCoreClient } from '@aws-sdk/client-bedrock-agentcore';
import { onTestFinished } from 'vitest';
import { createSessionBindingClient, type SessionBindingClient } from 'agentcore-session-binding/client';
import type { Browser, Page } from '../../src/demo/browser.ts';
import type { World } from '../support/world.ts';

/** The real SDK, which talks to the stand-in. */
export function awsClient(world: World): BedrockAgentCoreClient {
  const client = new BedrockAgentCoreClient({
    region: 'us-east-1',
    endpoint: world.agentcore.endpoint,
    credentials: { accessKeyId: 'AKIDTEST', secretAccessKey: 'test' },
  });
  onTestFinished(() => client.destroy());
  return client;
}

/** The package's client, and which paths of the service it asked for. */
export function clientOf(world: World): {
  readonly sessionBinding: SessionBindingClient;
  readonly paths: () => readonly string[];
} {
  const paths: string[] = [];
  const sessionBinding = createSessionBindingClient({
    baseUrl: world.url,
    fetch: (url, init) => {
      paths.push(new URL(url instanceof Request ? url.url : url).pathname.split('/')[1] ?? '');
      return fetch(url, init);
    },
  });
  return { sessionBinding, paths: () => paths };
}

/** The user opens the link in his browser and decides on the consent page. */
export async function decide(browser: Browser, startUrl: string, decision: 'allow' | 'deny'): Promise<Page> {
  const consent = await browser.open(startUrl);
  if (!consent.url.includes('request_uri='))
    throw new Error(`the link led to ${consent.status}: ${consent.body}`);
  return browser.submit(consent.url, { decision });
}
