import type { AnnouncedFlow } from './pin.ts';
import type { User } from './user.ts';

/** How a callback can end by the rule alone (contract §6). The HTTP layer has further codes of its own. */
export type BindingCode =
  | 'completed'
  | 'in_progress'
  | 'not_signed_in'
  | 'token_expired'
  | 'token_missing'
  | 'token_refused'
  | 'consent_denied'
  | 'consent_failed'
  | 'user_mismatch'
  | 'browser_mismatch'
  | 'state_invalid'
  | 'pin_required'
  | 'authorization_expired'
  | 'rate_limited'
  | 'agentcore_forbidden'
  | 'agentcore_unavailable'
  | 'outcome_unknown';

/** What pages may know of a flow. */
export type FlowFacts = Pick<AnnouncedFlow, 'returnTo' | 'label'>;

/** What one visit of the callback came to. */
export interface Outcome {
  readonly code: BindingCode;
  /** Why, in one stable word, for the audit log only: answers never say which check refused. */
  readonly reason?: string;
  /** The browser's user, where there is one. */
  readonly user?: User;
  /** What the app said about this flow; only where its pin is this very user's (SB-18). */
  readonly flow?: FlowFacts;
  /** Each call made to AgentCore and its answer; empty when AWS was not called. */
  readonly calls: readonly CallRecord[];
}

/** One call of CompleteResourceTokenAuth, for the audit log. */
export interface CallRecord {
  readonly answer: string;
  readonly durationMs: number;
  readonly reason?: string;
  readonly permission?: string;
  readonly awsRequestId?: string;
}
