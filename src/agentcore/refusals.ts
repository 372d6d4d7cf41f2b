import type { CompletionAnswer } from '../binding/ports.ts';

export type CompletionRefusal = Exclude<CompletionAnswer, { kind: 'completed' }>;

/** Certainly without effect: AWS said so, or nothing was sent. */
function notBound(reason: string): CompletionRefusal {
  return { kind: 'unavailable', mayHaveBound: false, reason };
}

/** Nobody can tell whether AgentCore bound the session before the answer was lost. */
function perhapsBound(reason: string): CompletionRefusal {
  return { kind: 'unavailable', mayHaveBound: true, reason };
}

const GONE: CompletionRefusal = { kind: 'gone' };

/**
 * What AWS's exceptions mean to the domain. AccessDeniedException is missing because it means two things, told
 * apart by {@link accessDenied}. The first five rows are the rest of the API's own six:
 * https://docs.aws.amazon.com/bedrock-agentcore/latest/APIReference/API_CompleteResourceTokenAuth.html#API_CompleteResourceTokenAuth_Errors
 */
const BY_EXCEPTION: ReadonlyMap<string, CompletionRefusal> = new Map([
  ['ValidationException', GONE],
  ['ResourceNotFoundException', GONE],
  ['UnauthorizedException', { kind: 'token_refused' }],
  ['ThrottlingException', notBound('throttled')],
  ['InternalServerException', perhapsBound('server_error')],

  // Throttled further out, before the API saw the call.
  ['TooManyRequestsException', notBound('throttled')],
  ['ServiceQuotaExceededException', notBound('throttled')],

  // Our own AWS credentials or clock, never the user's token: AWS checks the signature before it looks at the body.
  ['ExpiredTokenException', notBound('credentials')],
  ['ExpiredToken', notBound('credentials')],
  ['UnrecognizedClientException', notBound('credentials')],
  ['InvalidClientTokenId', notBound('credentials')],
  ['InvalidSignatureException', notBound('credentials')],
  ['SignatureDoesNotMatch', notBound('credentials')],
  ['IncompleteSignature', notBound('credentials')],
  ['IncompleteSignatureException', notBound('credentials')],
  ['MissingAuthenticationTokenException', notBound('credentials')],
  ['RequestExpired', notBound('credentials')],
  ['RequestTimeTooSkewed', notBound('credentials')],
]);

/** True for the exceptions with which AWS refuses credentials, before it looks at what is asked. */
export function refusesCredentials(exception: string): boolean {
  const refusal = BY_EXCEPTION.get(exception);
  return refusal?.kind === 'unavailable' && refusal.reason === 'credentials';
}

/** Failures on our side of the wire, by the name or code of the error. */
const WITHOUT_ANSWER: ReadonlyMap<string, CompletionRefusal> = new Map([
  ['InsecureEndpointError', notBound('insecure_endpoint')],
  ['AbortError', perhapsBound('timeout')],
  ['ETIMEDOUT', perhapsBound('timeout')],
  ['ECONNRESET', perhapsBound('reset')],
  ['EPIPE', perhapsBound('reset')],

  // A certificate is refused before the request is written.
  ['CERT_HAS_EXPIRED', notBound('tls')],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', notBound('tls')],
  ['SELF_SIGNED_CERT_IN_CHAIN', notBound('tls')],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', notBound('tls')],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', notBound('tls')],
  ['ERR_TLS_CERT_ALTNAME_INVALID', notBound('tls')],
]);

/**
 * What a failed call means. Reads AWS's message in one place only ({@link accessDenied}) and passes none of it on:
 * reasons are our own words (SB-16, SB-23).
 */
export function refusalOf(error: unknown): CompletionRefusal {
  const status = numberIn(read(error, '$metadata'), 'httpStatusCode');
  if (status === undefined) return withoutAnswer(error);
  const refusal = answered(error, status);
  const retryAfterMs = retryAfterOf(error);
  return refusal.kind === 'unavailable' && retryAfterMs !== undefined
    ? { ...refusal, retryAfterMs }
    : refusal;
}

/** `Retry-After` in its form of seconds; a date would be read against a clock that is not ours. */
function retryAfterOf(error: unknown): number | undefined {
  const seconds = stringIn(read(read(error, '$response'), 'headers'), 'retry-after');
  return seconds !== undefined && /^\d{1,6}$/.test(seconds) ? Number(seconds) * 1000 : undefined;
}

/** By exception name, then by HTTP status. */
function answered(error: unknown, status: number): CompletionRefusal {
  if (stringIn(read(error, '$metadata'), 'requestId') === undefined) {
    // Not AWS's word but that of something in between (a proxy, a captive portal), whatever it calls itself: it
    // may have spoken after AWS acted (SB-23).
    return perhapsBound(status >= 500 ? 'server_error' : 'no_request_id');
  }
  const name = stringIn(error, 'name') ?? '';
  if (name === 'AccessDeniedException') return accessDenied(stringIn(error, 'message') ?? '');
  const known = BY_EXCEPTION.get(name);
  if (known !== undefined) return known;
  if (status >= 500) return perhapsBound('server_error');
  if (status === 429) return notBound('throttled');
  // A 4xx that is not in the API's model, a 409 say, may be the echo of a call that took effect. Taking it for a
  // refusal could tell a connected user that he is not.
  return perhapsBound('unknown_answer');
}

/**
 * AccessDenied has no code, only a message. IAM's is looked for first, since it quotes the caller's ARN, in which
 * a role session name could imitate the other message.
 */
function accessDenied(message: string): CompletionRefusal {
  const denial = /is not authorized to perform:(?: ([a-z0-9-]{1,64}:[A-Za-z0-9]{1,64}))?/.exec(message);
  if (denial !== null) {
    const permission = denial[1];
    return permission === undefined ? { kind: 'forbidden' } : { kind: 'forbidden', permission };
  }
  // @NOTE live: the wording is seen (sdk-typescript issue 37), not documented.
  return /invalid or expired session/i.test(message) ? { kind: 'wrong_artifact' } : { kind: 'forbidden' };
}

function withoutAnswer(error: unknown): CompletionRefusal {
  if (precedesRequest(error)) return notBound('unreachable');
  const code = stringIn(error, 'code');
  const name = stringIn(error, 'name');
  // The SDK's connection timeout carries this name and no code; its request timeout has ETIMEDOUT.
  if (name === 'TimeoutError' && code === undefined) return notBound('unreachable');
  return WITHOUT_ANSWER.get(code ?? '') ?? WITHOUT_ANSWER.get(name ?? '') ?? perhapsBound('unknown_failure');
}

/** No address, or no connection: Node names the system call. A host with several addresses gives several errors. */
function precedesRequest(error: unknown): boolean {
  const errors = read(error, 'errors');
  if (Array.isArray(errors) && errors.length > 0) return errors.every(precedesRequest);
  const call = stringIn(error, 'syscall');
  return call === 'connect' || call === 'getaddrinfo';
}

function read(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
}

function stringIn(value: unknown, key: string): string | undefined {
  const found = read(value, key);
  return typeof found === 'string' && found !== '' ? found : undefined;
}

function numberIn(value: unknown, key: string): number | undefined {
  const found = read(value, key);
  return typeof found === 'number' ? found : undefined;
}
