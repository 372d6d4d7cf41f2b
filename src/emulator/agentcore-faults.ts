import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { type AwsAnswer, exception, sendAwsAnswer } from './agentcore-wire.ts';
import { sendJson } from './message-body.ts';

/** How a call of AgentCore can go wrong. */
export type CompletionFault =
  /** No answer, ever. */
  | 'hang'
  /** The connection breaks before anything happens. */
  | 'reset'
  /** Done, and the connection breaks: the lost answer. */
  | 'reset_after_binding'
  /** Done, and the connection breaks in the middle of a 200. */
  | 'truncated'
  /** Done, and answered with a 200 that no AWS service could have sent. */
  | 'no_request_id'
  | 'throttled'
  | 'internal_error'
  | 'validation'
  | 'unauthorized'
  | 'resource_not_found'
  | 'access_denied_iam'
  | 'access_denied_secret'
  | 'expired_credentials'
  /** Pages of something in between: no request id, and nothing bound. */
  | 'html_503'
  | 'html_200'
  /** As ever, but late. */
  | { readonly slowMs: number }
  | { readonly exception: string; readonly status: number; readonly message?: string };

const COMPLETION = 'CompleteResourceTokenAuth';

/** Switches that tests and the demo turn while the stand-in runs. */
export interface AgentCoreFaults {
  /**
   * The next `times` calls of that operation go wrong this way; without `times`, every call until
   * {@link AgentCoreFaults.clear}. The operation is CompleteResourceTokenAuth unless it is said.
   */
  inject(fault: CompletionFault, times?: number, operation?: string): void;
  clear(): void;
}

export class FaultSwitch implements AgentCoreFaults {
  readonly #current = new Map<string, { readonly fault: CompletionFault; timesLeft: number }>();

  inject(fault: CompletionFault, times = Number.POSITIVE_INFINITY, operation = COMPLETION): void {
    this.#current.set(operation, { fault, timesLeft: times });
  }

  clear(): void {
    this.#current.clear();
  }

  take(operation: string): CompletionFault | undefined {
    const current = this.#current.get(operation);
    if (current === undefined || current.timesLeft <= 0) return undefined;
    current.timesLeft -= 1;
    return current.fault;
  }
}

const ROLE = 'arn:aws:sts::123456789012:assumed-role/session-binding/task';

/** The faults that are ordinary AWS answers. */
const ANSWERS = {
  throttled: exception('ThrottlingException', 'Rate exceeded'),
  internal_error: exception('InternalServerException', 'Internal server error'),
  validation: exception('ValidationException', 'Request validation failed'),
  unauthorized: exception('UnauthorizedException', 'The user token is not valid'),
  resource_not_found: exception('ResourceNotFoundException', 'Resource not found'),
  access_denied_iam: exception(
    'AccessDeniedException',
    `User: ${ROLE} is not authorized to perform: bedrock-agentcore:CompleteResourceTokenAuth on resource: arn:aws:bedrock-agentcore:us-east-1:123456789012:token-vault/default`,
  ),
  access_denied_secret: exception(
    'AccessDeniedException',
    `User: ${ROLE} is not authorized to perform: secretsmanager:GetSecretValue on resource: bedrock-agentcore-identity!default/oauth2/github`,
  ),
  expired_credentials: {
    kind: 'exception',
    name: 'ExpiredTokenException',
    status: 403,
    message: 'The security token included in the request is expired',
  },
} satisfies Readonly<Record<string, AwsAnswer>>;

/** Answers a call that was told to go wrong. `perform` does what a good call does. */
export async function playFault(
  response: ServerResponse,
  fault: Exclude<CompletionFault, { readonly slowMs: number }>,
  perform: () => Promise<AwsAnswer>,
): Promise<void> {
  if (typeof fault === 'object') {
    const { exception: name, status, message = 'Refused by a fault switch' } = fault;
    return sendAwsAnswer(response, { kind: 'exception', name, status, message });
  }
  switch (fault) {
    case 'hang':
      return;
    case 'reset':
      return breakOff(response);
    case 'reset_after_binding':
      await perform();
      return breakOff(response);
    case 'no_request_id':
      await perform();
      return sendJson(response, {});
    case 'truncated':
      await perform();
      response.writeHead(200, {
        'content-type': 'application/json',
        'content-length': '64',
        'x-amzn-requestid': randomUUID(),
      });
      response.write('{"', () => breakOff(response));
      return;
    case 'html_503':
    case 'html_200':
      response.writeHead(fault === 'html_503' ? 503 : 200, { 'content-type': 'text/html' });
      response.end('<!doctype html><title>Proxy</title><p>Something in between answers.</p>');
      return;
    default:
      sendAwsAnswer(response, ANSWERS[fault]);
  }
}

/** A TCP reset: the client reads ECONNRESET, not a tidy end. */
function breakOff(response: ServerResponse): void {
  response.socket?.resetAndDestroy();
}
