import {
  type AuthorizationStatus,
  readAuthorizationStatus,
  type StatusDeps,
} from './authorization-status.ts';
import type { AuthorizationSession } from './authorization-session.ts';
import { type User, userKey } from './user.ts';

/** Half of the second within which an outcome must be told, whichever replica it happened on. */
const POLL_MS = 500;

interface Waiter {
  tell(status: AuthorizationStatus): void;
  fail(error: unknown): void;
}

interface Watched {
  readonly waiters: Set<Waiter>;
  /** Aborted to look again at once. */
  wake: AbortController;
}

/**
 * Long polls of flows that are pending. However many wait for one flow, the store is asked once each half second; an
 * outcome of this very replica is told at once.
 */
export class StatusWatch {
  readonly #deps: StatusDeps;
  readonly #watched = new Map<string, Watched>();
  #closed = false;

  constructor(deps: StatusDeps) {
    this.#deps = deps;
  }

  /** The first status that is not `pending`, or `pending` when the signal aborts or the watch closes. */
  wait(session: AuthorizationSession, user: User, signal: AbortSignal): Promise<AuthorizationStatus> {
    if (this.#closed || signal.aborted) return Promise.resolve('pending');
    const name = nameOf(session, user);
    const known = this.#watched.get(name);
    const watched = known ?? { waiters: new Set(), wake: new AbortController() };
    const result = new Promise<AuthorizationStatus>((resolve, reject) => {
      const giveUp = () => waiter.tell('pending');
      const leave = () => {
        watched.waiters.delete(waiter);
        signal.removeEventListener('abort', giveUp);
      };
      const waiter: Waiter = {
        tell(status) {
          leave();
          resolve(status);
        },
        fail(error) {
          leave();
          reject(error);
        },
      };
      watched.waiters.add(waiter);
      signal.addEventListener('abort', giveUp, { once: true });
    });
    if (known === undefined) {
      this.#watched.set(name, watched);
      void this.#poll(name, watched, session, user);
    }
    return result;
  }

  /** Something ended on this replica. */
  wake(session: AuthorizationSession, user: User): void {
    this.#watched.get(nameOf(session, user))?.wake.abort();
  }

  /** Ends every wait at once, and those that come later: the process drains (contract §10). */
  close(): void {
    this.#closed = true;
    for (const { waiters, wake } of this.#watched.values()) {
      for (const waiter of waiters) waiter.tell('pending');
      wake.abort();
    }
  }

  async #poll(name: string, watched: Watched, session: AuthorizationSession, user: User): Promise<void> {
    const { waiters } = watched;
    while (waiters.size > 0) {
      await this.#deps.clock.sleep(POLL_MS, watched.wake.signal);
      watched.wake = new AbortController();
      if (waiters.size === 0) break;
      try {
        const status = await readAuthorizationStatus(session, user, this.#deps);
        // A pin that is gone can only have lapsed.
        if (status === 'pending') continue;
        for (const waiter of waiters) waiter.tell(status ?? 'expired');
      } catch (error) {
        for (const waiter of waiters) waiter.fail(error);
      }
    }
    this.#watched.delete(name);
  }
}

function nameOf({ key }: AuthorizationSession, user: User): string {
  return `${key} ${userKey(user)}`;
}
