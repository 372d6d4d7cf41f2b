import type { CustomFetch } from 'openid-client';
import type { Clock } from '../binding/clock.ts';
import { IssuerFault } from './issuer-fault.ts';
import type { IssuerBudgets } from './issuer-keys.ts';
import { readLimited } from './read-limited.ts';

/** What the OIDC library may ask an issuer for, under the limits of every other answer of an issuer (SB-12). */
export function createLimitedFetch(
  clock: Pick<Clock, 'deadline'>,
  { fetchTimeoutMs, maxBytes }: IssuerBudgets,
  onAsked: () => void,
): CustomFetch {
  return async (url, { method, headers, body, redirect }) => {
    onAsked();
    const { signal, end } = clock.deadline(fetchTimeoutMs);
    try {
      const init = { method, headers, redirect, signal, body: body ?? null };
      const response = await fetch(url, init);
      const bytes = await readLimited(response, maxBytes);
      return new Response(bytes.length === 0 ? null : bytes, response);
    } catch (cause) {
      if (cause instanceof IssuerFault) throw cause;
      throw new IssuerFault(signal.aborted ? 'timeout' : 'unreachable', { cause });
    } finally {
      end();
    }
  };
}
