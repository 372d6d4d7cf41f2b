import type { Store } from '../../src/store/store.ts';
import { aHash, aUser, aUserToken, HOUR } from '../contract/harness.ts';

/** Every method of every port, in an order in which each finds something to do. */
export function everyCall(store: Store): readonly (readonly [string, () => Promise<unknown>])[] {
  const [user, key, untilMs] = [aUser(), aHash(), Date.now() + HOUR];
  const userToken = aUserToken(user, untilMs);
  const browserSession = {
    user,
    createdAtMs: Date.now(),
    lineage: aHash(),
    tokenExpiresAtMs: untilMs,
    provisional: false,
  };
  const candidate = { user, tokenExpiresAtMs: untilMs };
  const pin = {
    authorizationSessionKey: key,
    user,
    tokenFingerprint: userToken.fingerprint,
    tokenExpiresAtMs: untilMs,
    liveUntilMs: untilMs,
  };
  const { userTokens, pins, attempts, completions, browserSessions, signInCodes } = store;
  return [
    ['userTokens.write', () => userTokens.write(userToken, untilMs)],
    ['userTokens.read', () => userTokens.read(user, userToken.fingerprint)],
    ['userTokens.list', () => userTokens.list(user)],
    ['userTokens.removeAll', () => userTokens.removeAll(user)],
    ['pins.create', () => pins.create(pin)],
    ['pins.read', () => pins.read(key)],
    ['pins.readLiveUntil', () => pins.readLiveUntil(key, user)],
    ['pins.start', () => pins.start(pin, aHash())],
    ['pins.remove', () => pins.remove(pin)],
    ['attempts.read', () => attempts.read(key, user)],
    ['attempts.compareAndSet', () => attempts.compareAndSet(key, user, undefined, { mayHaveBound: false })],
    ['completions.read', () => completions.read(key)],
    ['completions.record', () => completions.record(key, user)],
    ['browserSessions.write', () => browserSessions.write(key, browserSession, untilMs)],
    ['browserSessions.read', () => browserSessions.read(key)],
    ['browserSessions.replace', () => browserSessions.replace(key, browserSession, untilMs)],
    ['browserSessions.remove', () => browserSessions.remove(key)],
    ['browserSessions.removeAll', () => browserSessions.removeAll(user)],
    ['signInCodes.writeCode', () => signInCodes.writeCode(key, candidate, untilMs)],
    ['signInCodes.readCode', () => signInCodes.readCode(key)],
    ['signInCodes.takeCode', () => signInCodes.takeCode(key)],
    ['signInCodes.writeCandidate', () => signInCodes.writeCandidate(candidate)],
    ['signInCodes.listCandidates', () => signInCodes.listCandidates()],
    ['signInCodes.removeCandidate', () => signInCodes.removeCandidate(user)],
  ];
}
