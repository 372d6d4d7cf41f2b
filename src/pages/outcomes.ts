import type { BindingCode } from '../binding/outcome.ts';

/** Every way an answer can end (contract §6). Codes are stable: programs and runbooks rely on them. */
export type OutcomeCode =
  | BindingCode
  | 'invalid_request'
  | 'invalid_token'
  | 'not_a_navigation'
  | 'forbidden_origin'
  | 'issuer_unavailable'
  | 'store_unavailable'
  | 'overloaded'
  | 'payload_too_large'
  | 'unsupported_media_type'
  | 'method_not_allowed'
  | 'not_found'
  | 'misdirected_host'
  | 'internal_error';

/** What a page looks like at a glance. */
export type Mood = 'good' | 'wait' | 'stop' | 'trouble';

export interface OutcomeRow {
  readonly status: number;
  readonly logLevel: 'info' | 'warn' | 'error';
  readonly mood: Mood;
  readonly title: string;
  /** What happened, for people; also the `detail` of a problem document. */
  readonly text: string;
  /** The one thing to do next. */
  readonly next: string;
  /** Set where trying again later can help: seconds for `Retry-After`. */
  readonly retryAfterSeconds?: number;
}

/** One table decides status, words, log level and retry of each code; a code without a row does not compile. */
export const OUTCOMES = {
  completed: {
    status: 200,
    logLevel: 'info',
    mood: 'good',
    title: 'You are connected',
    text: 'The account you approved is now connected to your agent.',
    next: 'Close this tab and go back to your app.',
  },
  in_progress: {
    status: 202,
    logLevel: 'info',
    mood: 'wait',
    title: 'Connecting…',
    text: 'Another tab of yours is finishing this connection.',
    next: 'This page looks again by itself in a few seconds.',
    retryAfterSeconds: 3,
  },
  invalid_request: {
    status: 400,
    logLevel: 'info',
    mood: 'stop',
    title: 'This link is not complete',
    text: 'The request is not one that this service understands.',
    next: 'Go back to your app and start the connection again.',
  },
  invalid_token: {
    status: 401,
    logLevel: 'warn',
    mood: 'stop',
    title: 'The user token is not valid',
    text: 'The user token is malformed, forged, expired, or was not issued for this service.',
    next: 'Sign in again in your app.',
  },
  not_signed_in: {
    status: 401,
    logLevel: 'info',
    mood: 'stop',
    title: 'We do not know this browser',
    text: 'The connection can only be finished in the browser in which you use your app. Nothing was connected.',
    next: 'Open your app in this browser, sign in there, and start the connection again.',
  },
  token_expired: {
    status: 401,
    logLevel: 'info',
    mood: 'stop',
    title: 'You were away too long',
    text: 'The sign-in that started this connection has expired. Nothing was connected.',
    next: 'Sign in again in your app and start the connection anew.',
  },
  token_missing: {
    status: 401,
    logLevel: 'info',
    mood: 'stop',
    title: 'Please start from your app',
    text: 'We know you, but not the sign-in that started this connection. Nothing was connected.',
    next: 'Go back to your app and start the connection again.',
  },
  token_refused: {
    status: 401,
    logLevel: 'warn',
    mood: 'stop',
    title: 'Your sign-in was not accepted',
    text: 'AgentCore did not accept the sign-in that started this connection. Nothing was connected.',
    next: 'Sign in again in your app and start the connection anew.',
  },
  consent_denied: {
    status: 403,
    logLevel: 'info',
    mood: 'stop',
    title: 'You said no',
    text: 'Access was declined, so nothing was connected.',
    next: 'If that was a mistake, go back to your app and start the connection again.',
  },
  consent_failed: {
    status: 502,
    logLevel: 'warn',
    mood: 'trouble',
    title: 'The other side reported an error',
    text: 'The service you wanted to connect could not finish its part. Nothing was connected.',
    next: 'Go back to your app and start the connection again.',
  },
  user_mismatch: {
    status: 403,
    logLevel: 'warn',
    mood: 'stop',
    title: 'This connection belongs to somebody else',
    text: 'It was started by another user than the one signed in to this browser. Nothing was connected.',
    next: 'If somebody sent you this link, close this tab: using it would have given them your account.',
  },
  browser_mismatch: {
    status: 403,
    logLevel: 'warn',
    mood: 'stop',
    title: 'Continue where you started',
    text: 'This connection was started in another browser, or before you signed in to this one. Nothing was connected.',
    next: 'Go back to your app in this browser and open its link again.',
  },
  state_invalid: {
    status: 403,
    logLevel: 'warn',
    mood: 'stop',
    title: 'This link does not work here',
    text: 'It was changed on the way, was made for another browser, or is too old. Nothing was connected.',
    next: 'Go back to your app and start the connection again.',
  },
  pin_required: {
    status: 403,
    logLevel: 'warn',
    mood: 'stop',
    title: 'Please start from your app',
    text: 'Your app did not announce this connection. Nothing was connected.',
    next: 'Go back to your app and start the connection again.',
  },
  not_a_navigation: {
    status: 403,
    logLevel: 'warn',
    mood: 'stop',
    title: 'Open this link in a tab of its own',
    text: 'This address only works as a page that you open yourself, not inside another page. Nothing was connected.',
    next: 'Go back to your app and start the connection again.',
  },
  forbidden_origin: {
    status: 403,
    logLevel: 'warn',
    mood: 'stop',
    title: 'Not from this website',
    text: 'This website may not sign you in here.',
    next: 'Close the page you came from.',
  },
  authorization_expired: {
    status: 410,
    logLevel: 'info',
    mood: 'stop',
    title: 'This link has expired',
    text: 'A connection has to be finished within ten minutes, once, by the user who started it.',
    next: 'Go back to your app and start the connection again.',
  },
  rate_limited: {
    status: 429,
    logLevel: 'warn',
    mood: 'wait',
    title: 'Too many at once',
    text: 'Too many requests came from you, or from the network you are in, in a short time.',
    next: 'Wait a minute, then go back to your app and try again.',
    retryAfterSeconds: 60,
  },
  agentcore_forbidden: {
    status: 500,
    logLevel: 'error',
    mood: 'trouble',
    title: 'Something is set up wrong',
    text: 'This service is not allowed to finish connections. Its operator has been told. Nothing was connected.',
    next: 'Try again later, or give your administrator the reference below.',
  },
  agentcore_unavailable: {
    status: 503,
    logLevel: 'error',
    mood: 'trouble',
    title: 'Not connected yet',
    text: 'AgentCore did not answer as it should.',
    next: 'Try again: this link stays good for a few minutes.',
    retryAfterSeconds: 5,
  },
  outcome_unknown: {
    status: 503,
    logLevel: 'error',
    mood: 'trouble',
    title: 'You may already be connected',
    text: 'An answer from AgentCore was lost on the way, so we cannot say how this ended.',
    next: 'Look in your app: if the connection is not there, start it again.',
  },
  issuer_unavailable: {
    status: 503,
    logLevel: 'error',
    mood: 'trouble',
    title: 'The sign-in service does not answer',
    text: 'It cannot be reached right now, or does not answer as it should. Nothing was connected.',
    next: 'Try again in a few seconds.',
    retryAfterSeconds: 5,
  },
  store_unavailable: {
    status: 503,
    logLevel: 'error',
    mood: 'trouble',
    title: 'Not right now',
    text: 'This service cannot reach its records at the moment.',
    next: 'Try again in a few seconds.',
    retryAfterSeconds: 5,
  },
  overloaded: {
    status: 503,
    logLevel: 'warn',
    mood: 'wait',
    title: 'Busy right now',
    text: 'Too many connections are being finished at this moment. Yours has not been tried yet.',
    next: 'Try again in a few seconds: this link stays good for a few minutes.',
    retryAfterSeconds: 5,
  },
  payload_too_large: {
    status: 413,
    logLevel: 'info',
    mood: 'stop',
    title: 'Too large',
    text: 'The body of the request is larger than 64 KiB.',
    next: 'Send the user token alone.',
  },
  unsupported_media_type: {
    status: 415,
    logLevel: 'info',
    mood: 'stop',
    title: 'Wrong kind of body',
    text: 'The body of the request must be application/json.',
    next: 'Set the Content-Type that this address takes.',
  },
  method_not_allowed: {
    status: 405,
    logLevel: 'info',
    mood: 'stop',
    title: 'Not like this',
    text: 'This address does not answer that method.',
    next: 'Go back to your app and start again.',
  },
  not_found: {
    status: 404,
    logLevel: 'info',
    mood: 'stop',
    title: 'Nothing here',
    text: 'There is no such page.',
    next: 'Go back to your app.',
  },
  misdirected_host: {
    status: 421,
    logLevel: 'warn',
    mood: 'stop',
    title: 'Wrong address',
    text: 'This service does not answer under that host name.',
    next: 'Use the address your app gave you.',
  },
  internal_error: {
    status: 500,
    logLevel: 'error',
    mood: 'trouble',
    title: 'Something broke',
    text: 'An error in this service got in the way.',
    next: 'Try again, or give your administrator the reference below.',
  },
} satisfies Record<OutcomeCode, OutcomeRow>;

/** The row of a code, with its optional columns. */
export function outcomeRow(code: OutcomeCode): OutcomeRow {
  return OUTCOMES[code];
}
