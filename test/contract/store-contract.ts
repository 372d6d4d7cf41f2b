import { describe } from 'vitest';
import { describeAttempts } from './attempts.ts';
import { describeBrowserSessions } from './browser-sessions.ts';
import { describeCompletions } from './completions.ts';
import type { CreateHarness } from './harness.ts';
import { describePins } from './pins.ts';
import { describeSignInCodes } from './sign-in-codes.ts';
import { describeUserTokens } from './user-tokens.ts';

/** What every store must keep (contract §8, and the words of each port). */
export function describeStoreContract(name: string, createHarness: CreateHarness): void {
  describe(`${name} keeps the contract of stores`, () => {
    describeUserTokens(createHarness);
    describePins(createHarness);
    describeAttempts(createHarness);
    describeCompletions(createHarness);
    describeBrowserSessions(createHarness);
    describeSignInCodes(createHarness);
  });
}
