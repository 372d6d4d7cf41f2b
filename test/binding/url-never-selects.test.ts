import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sealCustomState } from '../../src/binding/custom-state.ts';
import { Secret } from '../../src/binding/secret.ts';
import type { User } from '../../src/binding/user.ts';
import { createSealer } from '../../src/sealing/sealer.ts';
import { systemRandomness } from '../../src/system.ts';
import { type CallScript, LOST, THROTTLED } from './scripted-agentcore.ts';
import { ALICE, anAuthorizationSession, createTrial, MALLORY, type Trial } from './trial.ts';

const USERS: readonly User[] = [
  ALICE,
  MALLORY,
  { ...ALICE, issuer: 'https://other.example' },
  { issuer: 'https://issuer.example","alice', subject: '' },
];
const ELSEWHERE = createSealer([new Secret('another-deployment')], 'custom-state', systemRandomness);

const userIndex = fc.nat(USERS.length - 1);

/** A token posted by a user, with or without a pin; whether AgentCore opened that session for it. */
interface Post {
  readonly userIndex: number;
  readonly session: number | undefined;
  readonly opens: boolean;
}

/** What happened before, by anybody: posts, some with a pin of one of a few authorization sessions. */
const history: fc.Arbitrary<readonly Post[]> = fc.array(
  fc.record({ userIndex, session: fc.option(fc.nat(2), { nil: undefined }), opens: fc.boolean() }),
  { minLength: 2, maxLength: 12 },
);

/** A link: any session, any state (of anybody, genuine or not), any error. */
const link = fc.record({
  session: fc.option(fc.nat(2), { nil: undefined, freq: 8 }),
  state: fc.oneof(
    { weight: 3, arbitrary: fc.constant(undefined) },
    { weight: 3, arbitrary: fc.record({ post: fc.nat(11), by: fc.constantFrom('us', 'us', 'elsewhere') }) },
    { weight: 1, arbitrary: fc.string().map((text) => `sb1.${text}`) },
  ),
  error: fc.oneof(
    { weight: 8, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: fc.constantFrom('access_denied', 'server_error', '') },
  ),
});

const answers = fc.array(
  fc.constantFrom<CallScript>(LOST, THROTTLED, { kind: 'wrong_artifact' }, 'lost_after_binding'),
  { maxLength: 2 },
);

const visits = fc.array(
  fc.record({ userIndex, link, answers, pauseMs: fc.constantFrom(0, 60_000, 660_000) }),
  {
    minLength: 1,
    maxLength: 6,
  },
);

async function play(trial: Trial, posts: readonly Post[]) {
  const sessions = [anAuthorizationSession(), anAuthorizationSession(), anAuthorizationSession()];
  const userTokens = [];
  for (const { userIndex: index, session, opens } of posts) {
    const userToken = trial.token(USERS[index] ?? ALICE);
    userTokens.push(userToken);
    const authorizationSession = session === undefined ? undefined : sessions[session];
    if (opens && authorizationSession !== undefined) trial.agentcore.open(authorizationSession, userToken);
    await trial.post(userToken, authorizationSession);
  }
  return { sessions, userTokens };
}

describe('whatever a link carries', () => {
  it('AgentCore is only ever called with a user token of the browser’s own user [SB-01] [SB-02]', async () => {
    let called = 0;
    await fc.assert(
      fc.asyncProperty(history, visits, fc.boolean(), async (posts, plan, requirePin) => {
        const trial = createTrial({ requirePin });
        const { sessions, userTokens } = await play(trial, posts);
        for (const { userIndex: index, link: carried, answers: scripts, pauseMs } of plan) {
          await trial.clock.advance(pauseMs);
          const user = USERS[index] ?? ALICE;
          trial.agentcore.script(...scripts);
          const before = trial.agentcore.calls.length;
          const authorizationSession = carried.session === undefined ? undefined : sessions[carried.session];
          const code = await trial.visit({
            user,
            ...(authorizationSession && { authorizationSession }),
            ...stateOf(carried.state),
            ...(carried.error === undefined ? {} : { error: carried.error }),
          });

          const own = userTokens.filter(({ user: owner }) => owner === user).map(({ jwt }) => jwt.reveal());
          const calls = trial.agentcore.calls.slice(before);
          called += calls.length;
          for (const call of calls) expect(own).toContain(call);
          // Nobody becomes connected by a visit of somebody else.
          if (code === 'completed' && authorizationSession !== undefined) {
            const completedBy = await trial.records.completions.read(authorizationSession.key);
            expect(completedBy).toEqual(user);
          }
        }

        function stateOf(state: (typeof plan)[number]['link']['state']) {
          if (state === undefined || typeof state === 'string') return state === undefined ? {} : { state };
          const userToken = userTokens[state.post];
          if (userToken === undefined) return {};
          return { state: sealCustomState(userToken, state.by === 'us' ? trial.sealer : ELSEWHERE) };
        }
      }),
      { numRuns: 400 },
    );
    // Else this test would say nothing.
    expect(called).toBeGreaterThan(50);
  });
});
