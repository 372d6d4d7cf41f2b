import { type User, userDigest } from '../binding/user.ts';

// Prefix and version: a later shape gets the next number, and both live side by side until the old ones lapse.
const PREFIX = 'sb:1';

/** The key of every record in Valkey or Redis. They hold hashes only (SB-14); docs/storage.md lists them. */
export const redisKeys = {
  userTokens: (user: User) => `${PREFIX}:user-tokens:${userDigest(user)}`,
  pin: (authorizationSessionKey: string) => `${PREFIX}:pin:${authorizationSessionKey}`,
  ownPin: (authorizationSessionKey: string, user: User) =>
    `${PREFIX}:own-pin:${authorizationSessionKey}:${userDigest(user)}`,
  livePins: (user: User) => `${PREFIX}:live-pins:${userDigest(user)}`,
  attempt: (authorizationSessionKey: string, user: User) =>
    `${PREFIX}:attempt:${authorizationSessionKey}:${userDigest(user)}`,
  attempts: (user: User) => `${PREFIX}:attempts:${userDigest(user)}`,
  completion: (authorizationSessionKey: string) => `${PREFIX}:completion:${authorizationSessionKey}`,
  browserSession: (idHash: string) => `${PREFIX}:browser-session:${idHash}`,
  browserSessions: (ofUser: string) => `${PREFIX}:browser-sessions:${ofUser}`,
  signInCode: (codeHash: string) => `${PREFIX}:sign-in-code:${codeHash}`,
  signInCandidates: () => `${PREFIX}:sign-in-candidates`,
  probe: () => `${PREFIX}:probe`,
} as const;
