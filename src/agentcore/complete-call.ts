import {
  type BedrockAgentCoreClient,
  CompleteResourceTokenAuth$,
  CompleteResourceTokenAuthCommand,
  type CompleteResourceTokenAuthRequest,
} from '@aws-sdk/client-bedrock-agentcore';
import { refusalOf } from './refusals.ts';
import { requireSecureRequest } from './secure-transport.ts';
import type { Attempt, SignedRequest, Transport, TransportResponse } from './transport.ts';

/** Gives AWS's request id, undefined where the answer has none or confirms nothing. Rejects with the SDK's exceptions, which carry `$metadata` and `$response`, or with what came in between. */
export type CompleteCall = (
  credentials: Awaited<ReturnType<BedrockAgentCoreClient['config']['credentials']>>,
  request: CompleteResourceTokenAuthRequest,
  attempt: Attempt,
) => Promise<string | undefined>;

/** What the SDK's client has as `config.protocol`: serialisation, and the reading of answers. */
interface Protocol {
  serializeRequest(operation: object, input: object, context: object): Promise<SignedRequest>;
  deserializeResponse(
    operation: object,
    context: object,
    response: TransportResponse,
  ): Promise<{ readonly $metadata: { readonly requestId?: string } }>;
}

type AuthScheme = Parameters<BedrockAgentCoreClient['config']['signer']>[0];

/** A clock that is further off than a day is no clock. */
const MOST_SKEW_MS = 86_400_000;

/** For the operator's CloudTrail. */
const USER_AGENT = 'agentcore-session-binding';

const [, namespace, name, traits, input, output] = CompleteResourceTokenAuth$;
/** In the shape in which protocols take an operation. They remember what they work out of it. */
const OPERATION = { namespace, name, traits, input, output };

/**
 * CompleteResourceTokenAuth by the parts of the SDK's client: its endpoint, credentials, signature, serialisation,
 * exceptions and correction of the clock. Its chain of middleware is gone through once, to find out what is the same for
 * every call; the chain copies the client's settings four times a call (docs/performance.md). Nothing is tried twice: a
 * retry in here would hide that the first try may have bound the session.
 */
export function createCompleteCall(
  client: BedrockAgentCoreClient,
  transport: Transport,
  furtherHeaders: () => Readonly<Record<string, string>>,
): CompleteCall {
  const protocol: Protocol = client.config.protocol;
  let found: ReturnType<typeof findOut> | undefined;
  const findOutOnce = async () => {
    found ??= findOut(client);
    try {
      return await found;
    } catch (error) {
      // A profile that cannot be read now may be readable for the next user.
      found = undefined;
      throw error;
    }
  };

  return async (credentials, request, attempt) => {
    const { context, signer, signing, noteRefusal } = await findOutOnce();
    const unsigned = await protocol.serializeRequest(OPERATION, request, context);
    requireSecureRequest(unsigned);
    const { hostname, port, headers, body } = unsigned;
    headers['host'] = port === undefined ? hostname : `${hostname}:${port}`;
    headers['content-length'] = String(Buffer.byteLength(body ?? ''));
    // In which the signer notes when it signed.
    const properties = { ...signing };
    const signed = await signer.sign(unsigned, credentials, properties);
    // Unsigned: whatever is in between may rewrite them.
    Object.assign(signed.headers, { 'user-agent': USER_AGENT, ...furtherHeaders() });
    const response = await transport.send(signed, attempt);
    // Before the SDK reads it, which puts something else in the place of its body.
    const isConfirmed = isConfirmation(response);
    try {
      const { $metadata } = await protocol.deserializeResponse(OPERATION, context, response);
      return isConfirmed ? $metadata.requestId : undefined;
    } catch (error) {
      throw noteRefusal(withResponse(error, response), properties);
    }
  };
}

/** Endpoint, region and signer, as the client finds them in its settings, in variables and in profiles. */
async function findOut(client: BedrockAgentCoreClient) {
  const probe = new CompleteResourceTokenAuthCommand({ sessionUri: undefined, userIdentifier: undefined });
  const found: { context?: object; url?: URL; authScheme?: AuthScheme } = {};
  probe.middlewareStack.add(
    (_next, context) => () => {
      const { url, properties } = context.endpointV2 ?? {};
      Object.assign(found, { context, url, authScheme: properties?.['authSchemes']?.[0] });
      return Promise.resolve({ response: undefined, output: { $metadata: {} } });
    },
    { name: 'goNoFurther', step: 'build', priority: 'high' },
  );
  await probe.resolveMiddleware(client.middlewareStack, client.config, undefined)(probe);
  const sigV4 = client.config.httpAuthSchemes.find(({ schemeId }) => schemeId === 'aws.auth#sigv4');
  if (found.url === undefined || sigV4 === undefined)
    throw new TypeError('the SDK found no endpoint, or no signer');
  const endpoint = client.config.urlParser(found.url);
  const context = { ...client.config, ...found.context, endpoint: () => Promise.resolve(endpoint) };
  // The client would make one for every call. It asks for the credentials each time it signs.
  const requestSigner = await client.config.signer(found.authScheme);
  client.config.signer = () => Promise.resolve(requestSigner);
  const { signer } = sigV4;

  /**
   * Signs by AWS's clock once AWS has refused ours. The SDK believes the `Date` of any answer: one proxy with a wrong clock
   * would make a right one wrong, and one absurd date would end all signing for ever (SB-23).
   */
  function noteRefusal(error: unknown, properties: Record<string, unknown>): unknown {
    if (!(error instanceof Error) || !isAwsOnCredentials(error)) return error;
    try {
      signer.errorHandler?.(properties)(error);
    } catch {
      // It throws the error again.
    }
    if (!(Math.abs(client.config.systemClockOffset) <= MOST_SKEW_MS)) client.config.systemClockOffset = 0;
    return error;
  }

  return { context, signer, signing: { config: client.config, context }, noteRefusal };
}

/**
 * The operation has no output: AWS documents an empty body, and an object that has gained fields is one as well. The SDK does
 * not read it; half of one, a proxy's page, or an exception under a 200 would be a success to it (SB-23).
 */
function isConfirmation({ statusCode, headers, body }: TransportResponse): boolean {
  if (statusCode !== 200 || headers['x-amzn-errortype'] !== undefined) return false;
  const text = body.toString('utf8').trim();
  if (text === '' || text === '{}') return true;
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
    return !Object.keys(value).some((key) => /^(?:__type|code|message|error)$/i.test(key));
  } catch {
    return false;
  }
}

function isAwsOnCredentials(error: Error): boolean {
  const refusal = refusalOf(error);
  return refusal.kind === 'unavailable' && refusal.reason === 'credentials';
}

/** As the SDK's own middleware does, for whoever reads an error. */
function withResponse(error: unknown, response: TransportResponse): unknown {
  if (!(error instanceof Error)) return error;
  Object.defineProperty(error, '$response', { value: response });
  if (!('$metadata' in error)) {
    const $metadata = {
      httpStatusCode: response.statusCode,
      requestId: response.headers['x-amzn-requestid'],
    };
    Object.defineProperty(error, '$metadata', { value: $metadata });
  }
  return error;
}
