import { describe, expect, it } from 'vitest';
import { systemRandomness } from '../src/system.ts';

describe('the randomness of the machine', () => {
  it('never gives the same id twice, whatever their lengths [SB-05]', () => {
    const ids = Array.from({ length: 3_000 }, (_, index) => systemRandomness.id(12 + (index % 37)));
    expect(new Set(ids).size).toBe(ids.length);
    // Nor do two of them share a part, as they would if bytes were given out again.
    const parts = ids.map((id) => id.slice(0, 12));
    expect(new Set(parts).size).toBe(parts.length);
  });

  it('gives as many bytes as it is asked for, and none that are blank', () => {
    for (const bytes of [1, 12, 24, 4096]) {
      const id = Buffer.from(systemRandomness.id(bytes), 'base64url');
      expect(id).toHaveLength(bytes);
      if (bytes > 8) expect(id.equals(Buffer.alloc(bytes))).toBe(false);
    }
  });
});
