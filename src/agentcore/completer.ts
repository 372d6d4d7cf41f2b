import { BedrockAgentCoreClient, type BedrockAgentCoreClientConfig } from '@aws-sdk/client-bedrock-agentcore';
import type { AuthorizationCompleter, CompletionAnswer } from '../binding/ports.ts';
import { createCompleteCall } from './complete-call.ts';
import { refusalOf } from './refusals.ts';
import { InsecureEndpointError } from './secure-transport.ts';
import { Attempt, createTransport } from './transport.ts';

export interface AgentCoreCompleterOptions {
  readonly region: string;
  /** Instead of AWS's own endpoint of the region. */
  readonly endpoint?: string;
  /** One call, from credentials to the last byte of the answer. */
  readonly attemptTimeoutMs?: number;
  /** Further headers of each call. They are not signed: whatever is in between may rewrite them. */
  readonly furtherHeaders?: () => Readonly<Record<string, string>>;
  /** Instead of the SDK's default chain. */
  readonly credentials?: NonNullable<BedrockAgentCoreClientConfig['credentials']>;
}

export interface AgentCoreCompleter extends AuthorizationCompleter {
  /** True if AWS credentials can be had within the time: for `/ready`, which must answer within a second. */
  credentialsWork(timeoutMs?: number): Promise<boolean>;
  close(): void;
}

/** Long enough for one lost SYN, short enough to leave time for another attempt. */
const CONNECTION_TIMEOUT_MS = 1500;

/** CompleteResourceTokenAuth through the AWS SDK. */
export function createAgentCoreCompleter(options: AgentCoreCompleterOptions): AgentCoreCompleter {
  const attemptTimeoutMs = options.attemptTimeoutMs ?? 3000;
  const transport = createTransport(CONNECTION_TIMEOUT_MS);
  const client = new BedrockAgentCoreClient({
    region: options.region,
    ...(options.endpoint === undefined ? {} : { endpoint: options.endpoint }),
    ...(options.credentials === undefined ? {} : { credentials: options.credentials }),
  });
  const completeCall = createCompleteCall(client, transport, () => options.furtherHeaders?.() ?? {});

  return {
    async complete(authorizationSession, identifier, signal) {
      if (signal.aborted) return { kind: 'unavailable', mayHaveBound: false, reason: 'no_time_left' };
      const attempt = new Attempt();
      // Exactly one member: the SDK would send both, or none.
      const userIdentifier =
        'userToken' in identifier
          ? { userToken: identifier.userToken.reveal() }
          : { userId: identifier.userId };
      const call = async () =>
        completeCall(
          await client.config.credentials(),
          { sessionUri: authorizationSession.id, userIdentifier },
          attempt,
        );
      try {
        return confirmed(await withinTime(call(), attemptTimeoutMs, signal));
      } catch (error) {
        attempt.giveUp();
        if (attempt.isSent || error instanceof InsecureEndpointError) return refusalOf(error);
        // Whatever failed (STS, the metadata service, a hang, the way to the endpoint), AgentCore was not called: it must
        // not be read as AgentCore's answer, and leaves no doubt.
        return { kind: 'unavailable', mayHaveBound: false, reason: 'credentials' };
      }
    },

    async credentialsWork(timeoutMs = 800) {
      try {
        await withinTime(client.config.credentials(), timeoutMs);
        return true;
      } catch {
        return false;
      }
    },

    close() {
      transport.close();
      client.destroy();
    },
  };
}

/** As AWS writes them. It goes to the log: what else would go there must not be chosen by whoever answers (SB-16). */
const AWS_REQUEST_ID = /^[A-Za-z0-9-]{1,128}$/;

/** The SDK takes any 2xx for a success, a proxy's HTML page too: only AWS's request id says AWS (SB-23). */
function confirmed(awsRequestId: string | undefined): CompletionAnswer {
  return awsRequestId === undefined || !AWS_REQUEST_ID.test(awsRequestId)
    ? { kind: 'unavailable', mayHaveBound: true, reason: 'no_request_id' }
    : { kind: 'completed', awsRequestId };
}

/** The promise's result, or an AbortError as soon as its time is up: not everything in the SDK can be told to stop. */
function withinTime<T>(promise: Promise<T>, ms: number, signal?: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', giveUp);
    };
    const giveUp = () => {
      end();
      const error = new Error('aborted');
      error.name = 'AbortError';
      reject(error);
    };
    const timer = setTimeout(giveUp, ms);
    signal?.addEventListener('abort', giveUp);
    promise.then(
      (result) => {
        end();
        resolve(result);
      },
      (error: unknown) => {
        end();
        reject(error);
      },
    );
  });
}
