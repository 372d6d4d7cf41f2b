import { type User, userKey } from '../binding/user.ts';

/** The record keys of each user, oldest first: what quotas are counted by (SB-22). */
export class UserIndex {
  readonly #keysByUser = new Map<string, Set<string>>();

  /** Adds the key, or makes it the newest again. */
  add(user: User, key: string): void {
    const name = userKey(user);
    const keys = this.#keysByUser.get(name) ?? new Set();
    keys.delete(key);
    keys.add(key);
    this.#keysByUser.set(name, keys);
  }

  remove(user: User, key: string): void {
    const name = userKey(user);
    const keys = this.#keysByUser.get(name);
    keys?.delete(key);
    if (keys?.size === 0) this.#keysByUser.delete(name);
  }

  keys(user: User): readonly string[] {
    return [...(this.#keysByUser.get(userKey(user)) ?? [])];
  }

  count(user: User): number {
    return this.#keysByUser.get(userKey(user))?.size ?? 0;
  }

  oldestBeyond(user: User, most: number): readonly string[] {
    return this.keys(user).slice(0, Math.max(0, this.count(user) - most));
  }
}
