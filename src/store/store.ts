import type { BindingRecords } from '../binding/ports.ts';
import type { BrowserSessionStore } from '../session/browser-session.ts';
import type { SignInCodeStore } from '../session/sign-in-code.ts';

/** All records of the service (contract §8). Every implementation passes the same contract suite. */
export interface Store extends BindingRecords {
  readonly browserSessions: BrowserSessionStore;
  readonly signInCodes: SignInCodeStore;
  /** For `/ready`: true while the store answers. Never rejects. */
  works(): Promise<boolean>;
  /** Lets go of connections. Calls made after it throw StoreUnavailable or answer. */
  close(): Promise<void>;
}
