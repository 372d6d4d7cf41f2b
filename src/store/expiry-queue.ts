/** A binary min-heap of keys by the time they expire: the soonest comes out first, in O(log n). */
export class ExpiryQueue<Entry extends { readonly expiresAtMs: number }> {
  #heap: Entry[] = [];

  get length(): number {
    return this.#heap.length;
  }

  peek(): Entry | undefined {
    return this.#heap[0];
  }

  /** Replaces the content. A sorted array is a heap. */
  rebuild(entries: Iterable<Entry>): void {
    this.#heap = [...entries].toSorted((a, b) => a.expiresAtMs - b.expiresAtMs);
  }

  push(entry: Entry): void {
    const heap = this.#heap;
    let index = heap.length;
    heap.push(entry);
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = heap[parentIndex];
      if (parent === undefined || parent.expiresAtMs <= entry.expiresAtMs) break;
      heap[index] = parent;
      index = parentIndex;
    }
    heap[index] = entry;
  }

  pop(): Entry | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return first;
    let index = 0;
    for (;;) {
      const leftIndex = 2 * index + 1;
      const left = heap[leftIndex];
      if (left === undefined) break;
      const right = heap[leftIndex + 1];
      const rightIsSooner = right !== undefined && right.expiresAtMs < left.expiresAtMs;
      const child = rightIsSooner ? right : left;
      if (last.expiresAtMs <= child.expiresAtMs) break;
      heap[index] = child;
      index = rightIsSooner ? leftIndex + 1 : leftIndex;
    }
    heap[index] = last;
    return first;
  }
}
