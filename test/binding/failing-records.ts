import { type BindingRecords, StoreUnavailable } from '../../src/binding/ports.ts';

/** When a step fails: its command never arrives, is carried out and unanswered, or that and all after it fail. */
export type Failure = 'not_done' | 'done_unanswered' | 'down_from_here';

export interface FailingRecords {
  readonly records: BindingRecords;
  /** The steps so far since `arm`, by name. */
  readonly steps: readonly string[];
  /** Counts steps anew; the one with this index fails. */
  arm(failingStep: number, failure: Failure): void;
  heal(): void;
}

/** The domain's records, counting each command and failing where told. */
export function failingRecords(stored: BindingRecords): FailingRecords {
  const steps: string[] = [];
  let armed: { readonly index: number; readonly failure: Failure } | undefined;

  async function step<T>(name: string, command: () => Promise<T>): Promise<T> {
    const index = steps.push(name) - 1;
    if (armed === undefined || index < armed.index) return command();
    if (index > armed.index && armed.failure !== 'down_from_here') return command();
    if (armed.failure === 'done_unanswered') await command();
    throw new StoreUnavailable('scripted');
  }

  const { userTokens, pins, attempts, completions } = stored;
  return {
    steps,
    arm(index, failure) {
      steps.length = 0;
      armed = { index, failure };
    },
    heal() {
      steps.length = 0;
      armed = undefined;
    },
    records: {
      userTokens: {
        write: (...args) => step('userTokens.write', () => userTokens.write(...args)),
        read: (...args) => step('userTokens.read', () => userTokens.read(...args)),
        list: (...args) => step('userTokens.list', () => userTokens.list(...args)),
        removeAll: (...args) => step('userTokens.removeAll', () => userTokens.removeAll(...args)),
      },
      pins: {
        create: (...args) => step('pins.create', () => pins.create(...args)),
        read: (...args) => step('pins.read', () => pins.read(...args)),
        readLiveUntil: (...args) => step('pins.readLiveUntil', () => pins.readLiveUntil(...args)),
        start: (...args) => step('pins.start', () => pins.start(...args)),
        remove: (...args) => step('pins.remove', () => pins.remove(...args)),
      },
      attempts: {
        read: (...args) => step('attempts.read', () => attempts.read(...args)),
        compareAndSet: (...args) => step('attempts.compareAndSet', () => attempts.compareAndSet(...args)),
      },
      completions: {
        read: (...args) => step('completions.read', () => completions.read(...args)),
        record: (...args) => step('completions.record', () => completions.record(...args)),
      },
    },
  };
}
