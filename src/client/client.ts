// The package's `./client`: all that programs may rely on.
export {
  createSessionBindingClient,
  type CallLimits,
  type Flow,
  type SessionBindingClient,
  type SessionBindingClientOptions,
  type StoredUserToken,
  type StoreUserTokenRequest,
  type WaitForAuthorizationRequest,
} from './session-binding-client.ts';
export { SessionBindingError, type SessionBindingErrorCode } from './session-binding-error.ts';
export {
  type AuthUrlHandlerOptions,
  createAuthUrlHandler,
  createTokenPoller,
  type TokenPoller,
  type TokenPollerOptions,
} from './token-poller.ts';
