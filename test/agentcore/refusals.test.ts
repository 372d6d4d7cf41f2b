import { describe, expect, it } from 'vitest';
import { refusalOf } from '../../src/agentcore/refusals.ts';

// What a loopback server cannot provoke at will; everything else is in completer.test.ts, over real sockets.
describe('a call without answer', () => {
  it.each([
    ['CERT_HAS_EXPIRED', 'tls', false],
    ['SELF_SIGNED_CERT_IN_CHAIN', 'tls', false],
    ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'tls', false],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'tls', false],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'tls', false],
    ['EPIPE', 'reset', true],
    ['ETIMEDOUT', 'timeout', true],
    // Node gives these to a connection that was up, too, when the network goes away under it.
    ['EHOSTUNREACH', 'unknown_failure', true],
  ])('that failed with %s is %s [SB-23]', (code, reason, mayHaveBound) => {
    const error = Object.assign(new Error('boom'), { name: 'TimeoutError', code, syscall: 'read' });
    expect(refusalOf(error)).toEqual({ kind: 'unavailable', mayHaveBound, reason });
  });

  it('may have bound when only some of its connections never came about', () => {
    const refused = Object.assign(new Error('refused'), { syscall: 'connect', code: 'ECONNREFUSED' });
    const reset = Object.assign(new Error('reset'), { syscall: 'read', code: 'ECONNRESET' });
    expect(refusalOf(new AggregateError([refused, reset]))).toMatchObject({ mayHaveBound: true });
    expect(refusalOf(new AggregateError([refused, refused]))).toMatchObject({ mayHaveBound: false });
    expect(refusalOf(new AggregateError([]))).toMatchObject({ mayHaveBound: true });
  });

  it.each([undefined, null, 'text', 7])(
    'is never taken for a success or a refusal when %j was thrown',
    (thrown) => {
      expect(refusalOf(thrown)).toEqual({
        kind: 'unavailable',
        mayHaveBound: true,
        reason: 'unknown_failure',
      });
    },
  );
});
