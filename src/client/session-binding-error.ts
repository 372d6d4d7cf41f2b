import type { Fault } from './exchange.ts';
import type { ServiceCode } from './service-code.ts';

/** The service's own codes (docs/contract.md, §6), and what only a client can find out. */
export type SessionBindingErrorCode =
  | ServiceCode
  /** AgentCore did not accept the binding. */
  | 'authorization_refused'
  /** The time this call was given is over. */
  | 'timed_out'
  /** The service gave no answer, or something before it reported an outage. */
  | 'unreachable'
  /** What answered is not the service. */
  | 'unexpected_answer'
  /** The flow is bound, and AgentCore still gives no access token. */
  | 'access_token_missing';

/** Carries a code and the reference under which the service logged it; never a token, a URL or somebody's text. */
export class SessionBindingError extends Error {
  override readonly name = 'SessionBindingError';
  readonly code: SessionBindingErrorCode;
  readonly status: number | undefined;
  readonly requestId: string | undefined;
  /** Where the service said when to come back. */
  readonly retryAfterMs: number | undefined;

  constructor(code: SessionBindingErrorCode, fault: Partial<Fault> = {}) {
    const { status, requestId, retryAfterMs } = fault;
    super(`session binding: ${code}${requestId === undefined ? '' : ` (request ${requestId})`}`);
    this.code = code;
    this.status = status;
    this.requestId = requestId;
    this.retryAfterMs = retryAfterMs;
  }
}
