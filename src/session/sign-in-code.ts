import type { User } from '../binding/user.ts';

/** A person who may become this browser's user by one click, in single-user environments only (SB-04). */
export interface SignInCandidate {
  readonly user: User;
  /** For pages only. */
  readonly username?: string;
  /** `exp` of the user token that made him known: nobody is offered beyond it. */
  readonly tokenExpiresAtMs: number;
}

export const SIGN_IN_CODE_TTL_MS = 10 * 60_000;
/** A page with more names than this helps nobody; the newest stay. */
export const MAX_SIGN_IN_CANDIDATES = 20;

/**
 * Sign-in codes, by the hash of the code, and the people who have stored a token. Guarantees: `takeCode` is atomic and
 * gives a code's candidate once; nothing is handed out after its expiry. Every method may throw StoreUnavailable.
 */
export interface SignInCodeStore {
  writeCode(codeHash: string, candidate: SignInCandidate, expiresAtMs: number): Promise<void>;
  /** Whose code this is, without spending it: for the page that asks for the click. */
  readCode(codeHash: string): Promise<SignInCandidate | undefined>;
  takeCode(codeHash: string): Promise<SignInCandidate | undefined>;
  /** Remembers who has stored a token, until that token expires; the same user again replaces his entry. */
  writeCandidate(candidate: SignInCandidate): Promise<void>;
  /** Newest first, at most {@link MAX_SIGN_IN_CANDIDATES}. */
  listCandidates(): Promise<readonly SignInCandidate[]>;
  /** Sign-out with "forget my tokens": this user is offered no more. */
  removeCandidate(user: User): Promise<void>;
}
