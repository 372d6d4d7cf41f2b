import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { JsonObject } from './message-body.ts';

/** An answer in AWS's REST-JSON: the error's type is in a header, the message in the body. */
export type AwsAnswer =
  | { readonly kind: 'ok'; readonly status: number; readonly body: JsonObject }
  | { readonly kind: 'exception'; readonly name: string; readonly status: number; readonly message: string };

export function ok(body: JsonObject = {}, status = 200): AwsAnswer {
  return { kind: 'ok', status, body };
}

/** The statuses of the exceptions that AgentCore Identity documents. */
const STATUS = {
  AccessDeniedException: 403,
  ValidationException: 400,
  ResourceNotFoundException: 404,
  UnauthorizedException: 401,
  ConflictException: 409,
  ThrottlingException: 429,
  InternalServerException: 500,
} as const;

export function exception(name: keyof typeof STATUS, message: string): AwsAnswer {
  return { kind: 'exception', name, status: STATUS[name], message };
}

export function sendAwsAnswer(response: ServerResponse, answer: AwsAnswer): void {
  const isException = answer.kind === 'exception';
  response.writeHead(answer.status, {
    'content-type': 'application/json',
    'x-amzn-requestid': randomUUID(),
    ...(isException ? { 'x-amzn-errortype': answer.name } : {}),
  });
  if (answer.status === 204) return void response.end();
  response.end(JSON.stringify(isException ? { message: answer.message } : answer.body));
}

const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 Credential=[^/, ]+\/\d{8}\/[a-z0-9-]+\/([a-z0-9-]+)\/aws4_request, ?SignedHeaders=([a-z0-9;-]+), ?Signature=[0-9a-f]{64}$/;

/**
 * The refusal of a request without a SigV4 signature for AgentCore. Looks at the signature's shape only: the
 * stand-in has no account whose secret keys it could know.
 */
export function refuseUnsigned(request: IncomingMessage): AwsAnswer | undefined {
  const { authorization } = request.headers;
  if (authorization === undefined) {
    return {
      kind: 'exception',
      name: 'MissingAuthenticationTokenException',
      status: 403,
      message: 'Missing Authentication Token',
    };
  }
  const [, service, signedHeaders] = AUTHORIZATION.exec(authorization) ?? [];
  const signed = signedHeaders?.split(';') ?? [];
  if (
    service === 'bedrock-agentcore' &&
    signed.includes('host') &&
    signed.includes('x-amz-date') &&
    /^\d{8}T\d{6}Z$/.test(String(request.headers['x-amz-date']))
  ) {
    return undefined;
  }
  return {
    kind: 'exception',
    name: 'InvalidSignatureException',
    status: 403,
    message: "Credential should be scoped to correct service: 'bedrock-agentcore'.",
  };
}
