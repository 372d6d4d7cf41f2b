import {
  BedrockAgentCoreControlClient,
  GetWorkloadIdentityCommand,
  UpdateWorkloadIdentityCommand,
} from '@aws-sdk/client-bedrock-agentcore-control';
import { askAws } from './ask-aws.ts';
import { requireSecureRequest } from './secure-transport.ts';

/** The return URLs that a workload identity allows. */
export interface ReturnUrls {
  read(workload: string): Promise<ReturnUrlsAnswer>;
  /** Replaces the whole list: AWS has no way to add one. */
  write(workload: string, urls: readonly string[]): Promise<ReturnUrlsAnswer>;
  close(): void;
}

export type ReturnUrlsAnswer =
  | { readonly kind: 'urls'; readonly urls: readonly string[] }
  /** `reason`: the name of AWS's exception or the code of a failure, never AWS's text. */
  | { readonly kind: 'failed'; readonly reason: string };

const BUDGET_MS = 10_000;
const CONNECTION_TIMEOUT_MS = 3_000;

export function createReturnUrls(region: string): ReturnUrls {
  const client = new BedrockAgentCoreControlClient({
    region,
    maxAttempts: 3,
    retryMode: 'standard',
    requestHandler: {
      connectionTimeout: CONNECTION_TIMEOUT_MS,
      requestTimeout: BUDGET_MS,
      throwOnRequestTimeout: true,
    },
  });
  // Whoever can write the answer of a read decides what the write allows (SB-18).
  client.middlewareStack.add(
    (next) => (args) => {
      requireSecureRequest(args.request);
      return next(args);
    },
    { step: 'build', name: 'requireSecureTransport' },
  );
  const ask = async (
    send: (
      abortSignal: AbortSignal,
    ) => Promise<{ readonly allowedResourceOauth2ReturnUrls?: string[] | undefined }>,
  ): Promise<ReturnUrlsAnswer> => {
    const asked = await askAws(BUDGET_MS, send);
    if (asked.kind === 'failed') return asked;
    return { kind: 'urls', urls: asked.answer.allowedResourceOauth2ReturnUrls ?? [] };
  };
  return {
    read: (name) =>
      ask((abortSignal) => client.send(new GetWorkloadIdentityCommand({ name }), { abortSignal })),
    write: (name, urls) =>
      ask((abortSignal) =>
        client.send(new UpdateWorkloadIdentityCommand({ name, allowedResourceOauth2ReturnUrls: [...urls] }), {
          abortSignal,
        }),
      ),
    close: () => client.destroy(),
  };
}

export type Registration =
  | { readonly kind: 'registered' | 'already'; readonly urls: readonly string[] }
  | { readonly kind: 'would_register'; readonly urls: readonly string[] }
  | { readonly kind: 'failed'; readonly reason: string; readonly step: 'read' | 'write' }
  /** Somebody else keeps writing the same list. */
  | { readonly kind: 'contended' };

const MAX_WRITES = 5;

/**
 * Adds a URL to those that are there. Since a write replaces the list, somebody who read it before us and writes after
 * us takes ours away, and we may take his: so the list is read again after each write, and whatever was ever seen in it
 * is put back. Never drops one.
 */
export async function registerReturnUrl(
  workload: string,
  url: string,
  {
    returnUrls,
    dryRun,
    pause,
  }: {
    readonly returnUrls: ReturnUrls;
    readonly dryRun: boolean;
    readonly pause: () => Promise<unknown>;
  },
): Promise<Registration> {
  const seen = new Set<string>();
  for (let writes = 0; ; writes += 1) {
    const current = await returnUrls.read(workload);
    if (current.kind === 'failed') return { ...current, step: 'read' };
    for (const one of current.urls) seen.add(one);
    const wanted = [...new Set([...seen, url])];
    if (wanted.every((one) => current.urls.includes(one))) {
      return { kind: writes === 0 ? 'already' : 'registered', urls: current.urls };
    }
    if (dryRun) return { kind: 'would_register', urls: wanted };
    if (writes === MAX_WRITES) return { kind: 'contended' };
    // Whoever writes at the same time is not met at the same time again.
    if (writes > 0) await pause();
    const written = await returnUrls.write(workload, wanted);
    if (written.kind === 'failed') return { ...written, step: 'write' };
  }
}
