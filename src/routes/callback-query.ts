import { type AuthorizationSession, parseAuthorizationSession } from '../binding/authorization-session.ts';
import { CUSTOM_STATE_PREFIX } from '../binding/custom-state.ts';

export interface CallbackQuery {
  readonly authorizationSession: AuthorizationSession | undefined;
  readonly consentError: string | undefined;
  readonly customState: string | undefined;
}

export type ParsedCallbackQuery =
  | { readonly kind: 'parsed'; readonly query: CallbackQuery }
  /** `detail` is a sentence of ours: the query itself is never echoed (SB-17). */
  | { readonly kind: 'refused'; readonly detail: string };

/** AgentCore returns `customState` as `state`, which is seen but not documented: the other names are cheap. */
const STATE_PARAMETERS = ['state', 'custom_state', 'customState'];

/** The callback's parameters, from the raw query: a parameter that comes twice must not be chosen between. */
export function parseCallbackQuery(parameters: URLSearchParams): ParsedCallbackQuery {
  const ids = parameters.getAll('session_id');
  const errors = parameters.getAll('error');
  if (ids.length > 1) return refused('The link carries session_id more than once.');
  if (errors.length > 1 || errors[0] === '') return refused('The link carries a malformed error parameter.');

  const [id] = ids;
  const [consentError] = errors;
  if (id === undefined && consentError === undefined) return refused('The link carries no session_id.');
  const authorizationSession = id === undefined ? undefined : parseAuthorizationSession(id);
  if (id !== undefined && authorizationSession === undefined) {
    return refused('The session_id of the link is malformed.');
  }

  // Values without our prefix belong to the app.
  const states = STATE_PARAMETERS.flatMap((name) => parameters.getAll(name)).filter((value) =>
    value.startsWith(CUSTOM_STATE_PREFIX),
  );
  if (new Set(states).size > 1) return refused('The link carries two different states.');
  return { kind: 'parsed', query: { authorizationSession, consentError, customState: states[0] } };
}

/**
 * The same parameters again, for a way back to the callback: built from what was understood, so that nothing else of
 * a link, and no other address, travels through a form of ours (SB-18).
 */
export function callbackParameters(query: CallbackQuery): URLSearchParams {
  const { authorizationSession, consentError, customState } = query;
  const parameters = new URLSearchParams();
  if (authorizationSession !== undefined) parameters.set('session_id', authorizationSession.id);
  if (consentError !== undefined) parameters.set('error', consentError);
  if (customState !== undefined) parameters.set('state', customState);
  return parameters;
}

function refused(detail: string): ParsedCallbackQuery {
  return { kind: 'refused', detail };
}
