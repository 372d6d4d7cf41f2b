import type { Clock } from '../binding/clock.ts';
import { isSamePin, MAX_LIVE_PINS_PER_USER, type Pin, PIN_KEPT_MS } from '../binding/pin.ts';
import { type PinStore, StoreUnavailable } from '../binding/ports.ts';
import { type MemoryBudget, MemoryTable } from './memory-table.ts';
import { UserIndex } from './user-index.ts';

export function createMemoryPins(clock: Clock, budget: MemoryBudget): PinStore {
  const liveOf = new UserIndex();
  const table = new MemoryTable<Pin>({
    clock,
    budget,
    whenFull: 'refuse',
    bytesOf: ({ user, tokenFingerprint }) =>
      user.issuer.length + user.subject.length + tokenFingerprint.length,
    onRemoved: (key, { user }) => liveOf.remove(user, key),
  });

  return {
    async create(pin) {
      const { authorizationSessionKey: key, user } = pin;
      const existing = table.get(key);
      if (existing !== undefined) return { kind: 'exists', pin: existing };
      for (const other of liveOf.keys(user)) {
        if ((table.get(other)?.liveUntilMs ?? 0) <= clock.nowMs()) liveOf.remove(user, other);
      }
      if (liveOf.count(user) >= MAX_LIVE_PINS_PER_USER) return { kind: 'too_many' };
      if (!table.set(key, pin, clock.nowMs() + PIN_KEPT_MS)) throw new StoreUnavailable('pins are full');
      liveOf.add(user, key);
      return { kind: 'created' };
    },
    async read(key) {
      return table.get(key);
    },
    async remove(pin) {
      const found = table.get(pin.authorizationSessionKey);
      if (found !== undefined && isSamePin(found, pin)) table.delete(pin.authorizationSessionKey);
    },
  };
}
