import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openCustomState, sealCustomState } from '../../src/binding/custom-state.ts';
import { Secret } from '../../src/binding/secret.ts';
import { userDigest } from '../../src/binding/user.ts';
import { createSealer } from '../../src/sealing/sealer.ts';
import { systemRandomness } from '../../src/system.ts';
import { ALICE, createTrial } from './trial.ts';

const NEW = new Secret('the-new-secret-that-is-long-enough-0123456789');
const OLD = new Secret('the-old-secret-that-is-long-enough-0123456789');

const character = fc.nat(0xd7ff).map((code) => String.fromCodePoint(code));
const sealerOf = (...secrets: readonly [Secret, ...Secret[]]) =>
  createSealer(secrets, 'custom-state', systemRandomness);

describe('a custom state', () => {
  it('names user and user token, and reveals neither [SB-16]', () => {
    const trial = createTrial();
    const userToken = trial.token(ALICE);
    const state = sealCustomState(userToken, trial.sealer);
    expect(openCustomState(state, trial.sealer)).toEqual({
      userDigest: userDigest(ALICE),
      tokenFingerprint: userToken.fingerprint,
      tokenExpiresAtMs: userToken.expiresAtMs,
    });
    const opaque = Buffer.from(state.slice(4), 'base64url').toString('latin1');
    for (const secret of [ALICE.subject, userToken.fingerprint, userDigest(ALICE), userToken.jwt.reveal()]) {
      expect(state).not.toContain(secret);
      expect(opaque).not.toContain(secret);
    }
  });

  it('is never longer than 1024 characters, and travels in a query as it is', () => {
    const trial = createTrial();
    const text = fc.oneof(fc.string({ unit: character }), fc.constant('s'.repeat(100_000)));
    fc.assert(
      fc.property(text, text, fc.integer({ min: 0, max: 8.64e15 }), (issuer, subject, expiresAtMs) => {
        const userToken = { ...trial.token({ issuer, subject }), expiresAtMs };
        const state = sealCustomState(userToken, trial.sealer);
        expect(state.length).toBeLessThanOrEqual(1024);
        expect(encodeURIComponent(state)).toBe(state);
        expect(openCustomState(state, trial.sealer)?.userDigest).toBe(userDigest({ issuer, subject }));
      }),
    );
  });

  it('is reusable while its user token lives, for any authorization session of that token', async () => {
    const trial = createTrial();
    const { authorizationSession, userToken, state } = await trial.flow(ALICE);
    const second = await trial.flow(ALICE);
    trial.agentcore.open(second.authorizationSession, userToken);
    expect(await trial.visit({ user: ALICE, authorizationSession, state })).toBe('completed');
    expect(await trial.visit({ ...second, user: ALICE, state })).toBe('completed');
  });

  it('is different each time it is made: two of them tell nobody that they are one user’s', () => {
    const trial = createTrial();
    const userToken = trial.token(ALICE);
    const states = Array.from({ length: 100 }, () => sealCustomState(userToken, trial.sealer));
    expect(new Set(states).size).toBe(100);
  });

  it('made before a rotation of SESSION_SECRET still opens, and one of a retired secret does not [SB-14]', () => {
    const trial = createTrial();
    const old = sealCustomState(trial.token(ALICE), sealerOf(OLD));
    expect(openCustomState(old, sealerOf(NEW, OLD))?.userDigest).toBe(userDigest(ALICE));
    expect(openCustomState(old, sealerOf(NEW))).toBeUndefined();
    const fresh = sealCustomState(trial.token(ALICE), sealerOf(NEW, OLD));
    expect(openCustomState(fresh, sealerOf(NEW))?.userDigest).toBe(userDigest(ALICE));
    expect(openCustomState(fresh, sealerOf(OLD))).toBeUndefined();
  });
});

describe('a state is invalid, and AgentCore is not called,', () => {
  const refuses = async (forge: (state: string) => string) => {
    const trial = createTrial();
    const { authorizationSession, state } = await trial.flow(ALICE, { pinned: true });
    const visit = { user: ALICE, authorizationSession, state: forge(state) };
    expect(await trial.refusal(visit)).toBe('state_invalid');
    // The veto changes nothing: the flow is still good.
    expect(await trial.visit({ user: ALICE, authorizationSession, state })).toBe('completed');
  };

  it('when it is empty, cut short anywhere, or longer', async () => {
    await refuses(() => 'sb1.');
    for (const end of [5, 20, 100, -1]) await refuses((state) => state.slice(0, end));
    await refuses((state) => `${state}A`);
    await refuses((state) => state + state.slice(4));
  });

  it('when it is spelt differently', async () => {
    await refuses((state) => `${state}=`);
    await refuses((state) => `${state} `);
    await refuses((state) => `${state}\n`);
    await refuses((state) => `sb1.${Buffer.from(state.slice(4), 'base64url').toString('base64')}`);
    await refuses((state) => state.replace('sb1.', 'sb1..'));
  });

  it('when it was sealed for another purpose with the same secret', async () => {
    const other = createSealer([OLD], 'user-token', systemRandomness);
    const trial = createTrial({ sealer: sealerOf(OLD) });
    const { authorizationSession, userToken } = await trial.flow(ALICE);
    const state = sealCustomState(userToken, other);
    expect(await trial.refusal({ user: ALICE, authorizationSession, state })).toBe('state_invalid');
  });

  it('when it was sealed by another deployment', async () => {
    const trial = createTrial({ sealer: sealerOf(NEW) });
    const { authorizationSession, userToken } = await trial.flow(ALICE);
    const state = sealCustomState(userToken, sealerOf(OLD));
    expect(await trial.refusal({ user: ALICE, authorizationSession, state })).toBe('state_invalid');
  });

  it('when it is anything that was not sealed here', async () => {
    const trial = createTrial();
    const { authorizationSession } = await trial.flow(ALICE);
    const tail = fc.oneof(
      fc.string(),
      fc.base64String(),
      fc.uint8Array().map((bytes) => Buffer.from(bytes).toString('base64url')),
    );
    await fc.assert(
      fc.asyncProperty(tail, async (text) => {
        const visit = { user: ALICE, authorizationSession, state: `sb1.${text}` };
        expect(await trial.refusal(visit)).toBe('state_invalid');
      }),
    );
  });
});
