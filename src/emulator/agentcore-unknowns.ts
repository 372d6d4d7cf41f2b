/**
 * What nobody outside AWS knows until it is tried on a live account. Each is a switch, which may be turned while the
 * emulator runs: whoever builds on AgentCore Identity should survive every position. The first value is the default.
 */
export interface Unknowns {
  /** A second completion of one authorization session by its own user. */
  secondCompletion: 'refused' | 'accepted';
  /** Whether a refused completion makes the authorization session useless for everybody. */
  failedAttempt: 'keeps_session' | 'burns_session';
  /** A completion with the original JWT when that has expired; if refused, with which exception. */
  expiredOriginalJwt: 'accepted' | 'invalid_session' | 'unauthorized';
  /** How a return URL is compared with those of the workload identity. */
  returnUrls: 'exact' | 'prefix';
  /** What reaches the return URL when the user denies; `nothing` leaves him on an error of AgentCore's own. */
  denial: 'error_and_session_id' | 'error_alone' | 'nothing';
  /** What polling says after a denial. */
  statusAfterDenial: 'FAILED' | 'IN_PROGRESS';
  /** Under which name customState comes back. */
  customStateName: 'state' | 'customState' | 'custom_state' | 'none';
  /** Whether sending customState asks for consent again, although the vault holds an access token. */
  customStateWithStoredConsent: 'ignored' | 'asks_again';
  /** A request for scopes of which the stored consent lacks one. */
  scopesBeyondStoredConsent: 'asks_again' | 'ignored';
  /** Polling without the return URL: not documented as required, seen to be refused. */
  pollingWithoutReturnUrl: 'refused' | 'accepted';
}

export const DEFAULT_UNKNOWNS: Readonly<Unknowns> = {
  secondCompletion: 'refused',
  failedAttempt: 'keeps_session',
  expiredOriginalJwt: 'accepted',
  returnUrls: 'exact',
  denial: 'error_and_session_id',
  statusAfterDenial: 'FAILED',
  customStateName: 'state',
  customStateWithStoredConsent: 'ignored',
  scopesBeyondStoredConsent: 'asks_again',
  pollingWithoutReturnUrl: 'refused',
};
