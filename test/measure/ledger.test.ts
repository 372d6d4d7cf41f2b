import { describe, expect, it } from 'vitest';
import { Ledger } from '../../scripts/soak/ledger.mjs';
import type { CompletionCall } from '../../src/emulator/agentcore.ts';
import type { Binding } from '../../src/emulator/agentcore-flows.ts';

const ALICES = 'urn:ietf:params:oauth:request_uri:alices';

function bound(subject: string): Binding {
  const owner = { kind: 'jwt' as const, issuer: 'https://issuer.example', subject };
  return {
    sessionUri: ALICES,
    workloadName: 'agent',
    owner,
    provider: 'github',
    accessToken: 'x',
    atMs: 0,
  };
}

function call(userToken: string): CompletionCall {
  return { sessionUri: ALICES, userToken, userId: undefined, atMs: 0, answer: 'bound' };
}

/** Alice has opened a flow, and her app has pinned it. */
function open() {
  const ledger = new Ledger();
  ledger.opened({ sessionUri: ALICES, subject: 'alice', userToken: 'alices-token' });
  ledger.pinned(ALICES);
  return ledger;
}

const nobody = { vaultOwnerOf: () => undefined };

describe('the ledger of a soak', () => {
  it('finds nothing wrong where a flow is bound once, for its own user, with its own token', () => {
    const ledger = open();
    const record = { bindings: [bound('alice')], calls: [call('alices-token')] };
    ledger.check(record);
    // The same record again, with nothing new in it.
    ledger.check(record);
    ledger.told(ALICES, 'alice', 'completed', { vaultOwnerOf: () => bound('alice').owner });
    ledger.told(ALICES, 'bob', 'user_mismatch', nobody);
    expect(ledger.broken).toEqual([]);
  });

  it.each<[string, (ledger: Ledger) => void, string]>([
    [
      'a flow that was bound for another',
      (ledger) => ledger.check({ bindings: [bound('bob')], calls: [] }),
      'a flow of alice was bound for bob',
    ],
    [
      'a flow that was bound twice',
      (ledger) => ledger.check({ bindings: [bound('alice'), bound('alice')], calls: [] }),
      'a flow of alice was bound twice',
    ],
    [
      'a token that the pin does not name',
      (ledger) => ledger.check({ bindings: [], calls: [call('bobs-token')] }),
      'a user token was sent for a flow of alice that its pin does not name',
    ],
    [
      'a success that is none',
      (ledger) => ledger.told(ALICES, 'alice', 'completed', nobody),
      'alice was told "completed", and AgentCore has bound nothing',
    ],
    [
      'a success told to a stranger',
      (ledger) => ledger.told(ALICES, 'bob', 'completed', { vaultOwnerOf: () => bound('alice').owner }),
      'bob was told that a flow of alice is his',
    ],
    [
      'a stranger who learns how it ended',
      (ledger) => ledger.told(ALICES, 'bob', 'authorization_expired', nobody),
      'bob was told "authorization_expired" about a flow of alice',
    ],
  ])('finds %s', (_name, happen, sentence) => {
    const ledger = open();
    happen(ledger);
    expect(ledger.broken).toEqual([sentence]);
  });
});
