import type { Clock } from '../binding/clock.ts';
import { asVeto, isSamePin, MAX_LIVE_PINS_PER_USER, type Pin, pinKeptUntilMs } from '../binding/pin.ts';
import { type PinStore, StoreUnavailable } from '../binding/ports.ts';
import { isSameUser } from '../binding/user.ts';
import { type MemoryBudget, MemoryTable } from './memory-table.ts';
import { UserIndex } from './user-index.ts';

/** Counted from the beginning: opening a start link must find room, however full it is. */
const LINEAGE_BYTES = 48;

export function createMemoryPins(clock: Clock, budget: MemoryBudget): PinStore {
  const liveOf = new UserIndex();
  const table = new MemoryTable<Pin>({
    clock,
    budget,
    whenFull: 'refuse',
    bytesOf: ({ user, tokenFingerprint, authorizationUrl, returnTo = '', label = '' }) =>
      user.issuer.length +
      user.subject.length +
      tokenFingerprint.length +
      (authorizationUrl?.reveal().length ?? 0) +
      returnTo.length +
      label.length +
      LINEAGE_BYTES,
    onRemoved: (key, { user }) => liveOf.remove(user, key),
  });

  return {
    async create(pin) {
      const { authorizationSessionKey: key, user } = pin;
      const existing = table.get(key);
      if (existing !== undefined) return { kind: 'exists', pin: existing };
      for (const other of liveOf.keys(user)) {
        const former = table.get(other);
        if (former === undefined || former.liveUntilMs > clock.nowMs()) continue;
        write(asVeto(former));
        liveOf.remove(user, other);
      }
      if (liveOf.count(user) >= MAX_LIVE_PINS_PER_USER) return { kind: 'too_many' };
      write(pin);
      return { kind: 'created' };
    },
    async read(key) {
      return table.get(key);
    },
    async readLiveUntil(key, user) {
      const pin = table.get(key);
      return pin !== undefined && isSameUser(pin.user, user) ? pin.liveUntilMs : undefined;
    },
    async start(pin, lineage) {
      const found = table.get(pin.authorizationSessionKey);
      if (found === undefined || !isSamePin(found, pin)) return false;
      write({ ...found, startedIn: lineage });
      return true;
    },
    async remove(pin) {
      const found = table.get(pin.authorizationSessionKey);
      if (found !== undefined && isSamePin(found, pin)) table.delete(pin.authorizationSessionKey);
    },
  };

  function write(pin: Pin): void {
    const { authorizationSessionKey: key, user } = pin;
    if (!table.set(key, pin, pinKeptUntilMs(pin))) throw new StoreUnavailable('pins are full');
    liveOf.add(user, key);
  }
}
