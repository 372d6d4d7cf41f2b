import { BoundedMap } from './bounded-map.ts';

export interface Workload {
  readonly name: string;
  readonly returnUrls: readonly string[];
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
}

const NAME = /^[A-Za-z0-9_.-]{3,255}$/;

export function isWorkloadName(name: string): boolean {
  return NAME.test(name);
}

/** The workload identity directory. */
export class Workloads {
  readonly #nowMs: () => number;
  readonly #workloads = new BoundedMap<string, Workload>();

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  get(name: string): Workload | undefined {
    return this.#workloads.get(name);
  }

  list(): readonly Workload[] {
    return [...this.#workloads.values()];
  }

  /** Creates, or replaces: what was allowed before and is not in this list is allowed no more. */
  put(name: string, returnUrls: readonly string[]): Workload {
    const nowMs = this.#nowMs();
    const createdAtMs = this.#workloads.get(name)?.createdAtMs ?? nowMs;
    const workload = { name, returnUrls, createdAtMs, updatedAtMs: nowMs };
    this.#workloads.set(name, workload);
    return workload;
  }

  delete(name: string): boolean {
    return this.#workloads.delete(name);
  }
}
