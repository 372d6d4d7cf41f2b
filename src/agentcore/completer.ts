import {
  BedrockAgentCoreClient,
  type BedrockAgentCoreClientConfig,
  CompleteResourceTokenAuthCommand,
} from '@aws-sdk/client-bedrock-agentcore';
import type { AuthorizationCompleter, CompletionAnswer } from '../binding/ports.ts';
import { refusalOf } from './refusals.ts';
import { requireSecureTransport } from './secure-transport.ts';

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
  const client = createClient(options, attemptTimeoutMs);

  return {
    async complete(authorizationSession, identifier, signal) {
      const attempt = AbortSignal.any([signal, AbortSignal.timeout(attemptTimeoutMs)]);
      if (attempt.aborted) return { kind: 'unavailable', mayHaveBound: false, reason: 'no_time_left' };

      // First the credentials, on their own: whatever fails here (STS, the metadata service, a hang) fails before
      // AgentCore is called, and must not be read as AgentCore's answer.
      try {
        await unlessAborted(client.config.credentials(), attempt);
      } catch {
        return { kind: 'unavailable', mayHaveBound: false, reason: 'credentials' };
      }

      try {
        const command = new CompleteResourceTokenAuthCommand({
          sessionUri: authorizationSession.id,
          // Exactly one member: the SDK would send both, or none.
          userIdentifier:
            'userToken' in identifier
              ? { userToken: identifier.userToken.reveal() }
              : { userId: identifier.userId },
        });
        const answer = await unlessAborted(client.send(command, { abortSignal: attempt }), attempt);
        return confirmed(answer.$metadata.requestId);
      } catch (error) {
        return refusalOf(error);
      }
    },

    async credentialsWork(timeoutMs = 800) {
      try {
        await unlessAborted(client.config.credentials(), AbortSignal.timeout(timeoutMs));
        return true;
      } catch {
        return false;
      }
    },

    close() {
      client.destroy();
    },
  };
}

/** The SDK takes any 200 for a success, a proxy's HTML page too: only AWS's request id says AWS (SB-23). */
function confirmed(awsRequestId: string | undefined): CompletionAnswer {
  return awsRequestId === undefined || awsRequestId === ''
    ? { kind: 'unavailable', mayHaveBound: true, reason: 'no_request_id' }
    : { kind: 'completed', awsRequestId };
}

function createClient(options: AgentCoreCompleterOptions, attemptTimeoutMs: number): BedrockAgentCoreClient {
  // The in-flight limit is the service's own; at the SDK's 50 sockets the 51st user waits for strangers (contract §10).
  const agent = { maxSockets: Number.POSITIVE_INFINITY };
  const client = new BedrockAgentCoreClient({
    region: options.region,
    ...(options.endpoint === undefined ? {} : { endpoint: options.endpoint }),
    ...(options.credentials === undefined ? {} : { credentials: options.credentials }),
    // A retry inside the SDK would hide that the first try may have bound the session. `AWS_RETRY_MODE=adaptive`
    // would besides make one user wait for another's throttling.
    maxAttempts: 1,
    retryMode: 'standard',
    requestHandler: {
      connectionTimeout: CONNECTION_TIMEOUT_MS,
      // A second clock beside the signal, up to the answer's headers. Without the throw it would only warn.
      requestTimeout: attemptTimeoutMs,
      throwOnRequestTimeout: true,
      httpAgent: agent,
      httpsAgent: agent,
    },
  });
  requireSecureTransport(client);
  if (options.furtherHeaders !== undefined) addUnsignedHeaders(client, options.furtherHeaders);
  return client;
}

/** The step is the first one after the signature. */
function addUnsignedHeaders(
  client: BedrockAgentCoreClient,
  furtherHeaders: () => Readonly<Record<string, string>>,
): void {
  client.middlewareStack.add(
    (next) => (args) => {
      const { request } = args;
      if (typeof request === 'object' && request !== null && 'headers' in request) {
        Object.assign(request.headers ?? {}, furtherHeaders());
      }
      return next(args);
    },
    { step: 'deserialize', name: 'addUnsignedHeaders' },
  );
}

/** The promise's result, or an AbortError as soon as the signal aborts: not everything in the SDK listens to it. */
function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      const error = new Error('aborted');
      error.name = 'AbortError';
      reject(error);
    };
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    void promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
