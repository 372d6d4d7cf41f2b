import { describe, expect, it } from 'vitest';
import type { Pin } from '../../src/binding/pin.ts';
import { Secret } from '../../src/binding/secret.ts';
import type { User } from '../../src/binding/user.ts';
import { aHash, aUser, type CreateHarness, HOUR, MINUTE, race, SECOND } from './harness.ts';

/** As an app announces it that wants a start link. */
function anAnnouncedPin(user: User, nowMs: number): Pin {
  return {
    ...aPin(user, nowMs),
    authorizationUrl: new Secret('https://agentcore.example/identities/oauth2/authorize?request_uri=x'),
    returnTo: 'https://app.example/done?a=b#c',
    label: 'GitHub for the sales agent',
  };
}

function aPin(user: User, nowMs: number, authorizationSessionKey = aHash()): Pin {
  return {
    authorizationSessionKey,
    user,
    tokenFingerprint: aHash(),
    tokenExpiresAtMs: nowMs + HOUR,
    liveUntilMs: nowMs + 10 * MINUTE,
  };
}

export function describePins(createHarness: CreateHarness): void {
  describe('pins', () => {
    it('are read back whole by their authorization session', async () => {
      const { store, replica, nowMs } = await createHarness();
      const pin = aPin(aUser(), nowMs());
      expect(await store.pins.read(pin.authorizationSessionKey)).toBeUndefined();
      expect(await store.pins.create(pin)).toEqual({ kind: 'created' });
      expect(await replica.pins.read(pin.authorizationSessionKey)).toEqual(pin);
    });

    it('are read back with what the app announced, its secret URL included', async () => {
      const { store, replica, nowMs } = await createHarness();
      const pin = anAnnouncedPin(aUser(), nowMs());
      await store.pins.create(pin);
      const { authorizationUrl, ...rest } = (await replica.pins.read(pin.authorizationSessionKey)) ?? pin;
      expect(authorizationUrl?.reveal()).toBe(pin.authorizationUrl?.reveal());
      expect({ ...rest, authorizationUrl: pin.authorizationUrl }).toEqual(pin);
    });

    it('tell their own user until when they live; to all others they are as unknown [SB-30]', async () => {
      const { store, replica, nowMs, advance } = await createHarness();
      const [user, other] = [aUser(), aUser()];
      const pin = aPin(user, nowMs());
      const { authorizationSessionKey: key } = pin;
      expect(await store.pins.readLiveUntil(key, user)).toBeUndefined();
      await store.pins.create(pin);
      await store.pins.create(aPin(other, nowMs(), key));

      expect(await replica.pins.readLiveUntil(key, user)).toBe(pin.liveUntilMs);
      expect(await replica.pins.readLiveUntil(key, other)).toBeUndefined();
      expect(await replica.pins.readLiveUntil(aHash(), user)).toBeUndefined();
      advance(24 * HOUR - SECOND);
      expect(await store.pins.readLiveUntil(key, user)).toBe(pin.liveUntilMs);
      advance(SECOND);
      expect(await store.pins.readLiveUntil(key, user)).toBeUndefined();
    });

    it('remember the browser that started them last, and keep all else', async () => {
      const { store, replica, nowMs } = await createHarness();
      const pin = anAnnouncedPin(aUser(), nowMs());
      await store.pins.create(pin);
      for (const [lineage, one] of [
        [aHash(), store],
        [aHash(), replica],
      ] as const) {
        expect(await one.pins.start(pin, lineage)).toBe(true);
        const started = await store.pins.read(pin.authorizationSessionKey);
        expect(started?.startedIn).toBe(lineage);
        expect(started?.authorizationUrl?.reveal()).toBe(pin.authorizationUrl?.reveal());
        expect({ ...started, startedIn: undefined }).toEqual({ ...pin, startedIn: undefined });
      }
      expect(await store.pins.readLiveUntil(pin.authorizationSessionKey, pin.user)).toBe(pin.liveUntilMs);
    });

    it('are started by nobody else, nor once they are gone [SB-34]', async () => {
      const { store, nowMs, advance } = await createHarness();
      const pin = aPin(aUser(), nowMs());
      expect(await store.pins.start(pin, aHash())).toBe(false);
      await store.pins.create(pin);
      const others = aPin(aUser(), nowMs(), pin.authorizationSessionKey);
      expect(await store.pins.start(others, aHash())).toBe(false);
      expect(await store.pins.read(pin.authorizationSessionKey)).toEqual(pin);
      advance(24 * HOUR);
      expect(await store.pins.start(pin, aHash())).toBe(false);
    });

    it('are started and removed as the very ones only: of this user, for this token, as long alive [SB-34]', async () => {
      const { store, replica, nowMs } = await createHarness();
      const pin = aPin(aUser(), nowMs());
      await store.pins.create(pin);
      for (const change of [
        { user: aUser() },
        { tokenFingerprint: aHash() },
        { liveUntilMs: pin.liveUntilMs + SECOND },
      ]) {
        expect(await replica.pins.start({ ...pin, ...change }, aHash())).toBe(false);
        await replica.pins.remove({ ...pin, ...change });
        expect(await store.pins.read(pin.authorizationSessionKey)).toEqual(pin);
      }
      await replica.pins.remove(pin);
      expect(await store.pins.read(pin.authorizationSessionKey)).toBeUndefined();
    });

    it('live no longer for being started late, as a veto neither', async () => {
      const { store, nowMs, advance } = await createHarness();
      const pin = aPin(aUser(), nowMs());
      await store.pins.create(pin);
      advance(9 * MINUTE);
      await store.pins.start(pin, aHash());
      expect(await store.pins.read(pin.authorizationSessionKey)).toMatchObject({
        liveUntilMs: pin.liveUntilMs,
      });
      advance(24 * HOUR - 9 * MINUTE);
      expect(await store.pins.read(pin.authorizationSessionKey)).toBeUndefined();
    });

    it('have one of the browsers that start them at once', async () => {
      const harness = await createHarness();
      const pin = aPin(aUser(), harness.nowMs());
      await harness.store.pins.create(pin);
      const lineages = [aHash(), aHash()];
      await race(harness, 2, (store, index) => store.pins.start(pin, lineages[index] ?? ''));
      const started = await harness.store.pins.read(pin.authorizationSessionKey);
      expect(lineages).toContain(started?.startedIn);
    });

    it('stay the first one, which every later creation is shown [SB-34]', async () => {
      const { store, replica, nowMs } = await createHarness();
      const [user, other] = [aUser(), aUser()];
      const first = aPin(user, nowMs());
      await store.pins.create(first);
      for (const later of [
        aPin(other, nowMs(), first.authorizationSessionKey),
        aPin(user, nowMs() + MINUTE, first.authorizationSessionKey),
      ]) {
        expect(await replica.pins.create(later)).toEqual({ kind: 'exists', pin: first });
      }
      expect(await store.pins.read(first.authorizationSessionKey)).toEqual(first);
    });

    it('have exactly one winner among fifty users at once [SB-34]', async () => {
      const harness = await createHarness();
      const key = aHash();
      const pins = Array.from({ length: 50 }, () => aPin(aUser(), harness.nowMs(), key));
      const creations = await race(harness, 50, (store, index) =>
        store.pins.create(pins[index] ?? aPin(aUser(), harness.nowMs(), key)),
      );

      const winner = pins[creations.findIndex(({ kind }) => kind === 'created')];
      expect(creations.filter(({ kind }) => kind === 'created')).toHaveLength(1);
      expect(await harness.replica.pins.read(key)).toEqual(winner);
      for (const creation of creations) {
        if (creation.kind !== 'created') expect(creation).toEqual({ kind: 'exists', pin: winner });
      }
    });

    it('outlive their ten minutes as a veto, for 24 hours [SB-01]', async () => {
      const { store, nowMs, advance } = await createHarness();
      const pin = aPin(aUser(), nowMs());
      await store.pins.create(pin);

      advance(24 * HOUR - SECOND);
      expect(await store.pins.read(pin.authorizationSessionKey)).toEqual(pin);
      const late = aPin(aUser(), nowMs(), pin.authorizationSessionKey);
      expect(await store.pins.create(late)).toEqual({ kind: 'exists', pin });
      advance(SECOND);
      expect(await store.pins.read(pin.authorizationSessionKey)).toBeUndefined();
      expect(await store.pins.create(late)).toEqual({ kind: 'created' });
      expect(await store.pins.read(pin.authorizationSessionKey)).toEqual(late);
    });

    it('that are dead keep their veto alone once their user announces the next flow [SB-01] [SB-22]', async () => {
      const { store, replica, nowMs, advance } = await createHarness();
      const user = aUser();
      const [dead, live] = [anAnnouncedPin(user, nowMs()), anAnnouncedPin(user, nowMs() + MINUTE)];
      await store.pins.create(dead);
      await store.pins.create(live);

      advance(10 * MINUTE);
      await replica.pins.create(aPin(user, nowMs()));
      const { authorizationUrl: _url, returnTo: _returnTo, label: _label, ...veto } = dead;
      expect(await store.pins.read(dead.authorizationSessionKey)).toEqual(veto);
      expect(await store.pins.read(live.authorizationSessionKey)).toMatchObject({ label: live.label });

      // A user who was away for hours still has his former pins cleared.
      advance(20 * HOUR);
      await store.pins.create(aPin(user, nowMs()));
      expect((await replica.pins.read(live.authorizationSessionKey))?.authorizationUrl).toBeUndefined();
      expect(await replica.pins.read(live.authorizationSessionKey)).not.toHaveProperty('label');
    });

    it('are at most 32 live ones a user; a pinned session again is a no-op even then [SB-22]', async () => {
      const { store, nowMs, advance } = await createHarness();
      const [user, other] = [aUser(), aUser()];
      const pins = Array.from({ length: 32 }, () => aPin(user, nowMs()));
      for (const pin of pins) expect(await store.pins.create(pin)).toEqual({ kind: 'created' });

      const tooMany = aPin(user, nowMs());
      expect(await store.pins.create(tooMany)).toEqual({ kind: 'too_many' });
      expect(await store.pins.read(tooMany.authorizationSessionKey)).toBeUndefined();
      expect(await store.pins.create(pins[0] ?? tooMany)).toEqual({ kind: 'exists', pin: pins[0] });
      expect(await store.pins.create(aPin(other, nowMs()))).toEqual({ kind: 'created' });

      // Dead pins still veto, but no longer count.
      advance(10 * MINUTE);
      expect(await store.pins.create(aPin(user, nowMs()))).toEqual({ kind: 'created' });
      expect(await store.pins.read(pins[0]?.authorizationSessionKey ?? '')).toEqual(pins[0]);
    });

    it('are at most 32 live ones a user however many are made at once [SB-22]', async () => {
      const harness = await createHarness();
      const user = aUser();
      const creations = await race(harness, 60, (store) => store.pins.create(aPin(user, harness.nowMs())));
      expect(creations.filter(({ kind }) => kind === 'created')).toHaveLength(32);
      expect(creations.filter(({ kind }) => kind === 'too_many')).toHaveLength(28);
    });

    it("never count a pin that was refused because the session is somebody else's [SB-34]", async () => {
      const { store, nowMs } = await createHarness();
      const [victim, attacker] = [aUser(), aUser()];
      const first = aPin(attacker, nowMs());
      await store.pins.create(first);
      for (let count = 0; count < 40; count += 1) {
        await store.pins.create(aPin(victim, nowMs(), first.authorizationSessionKey));
      }
      for (let count = 0; count < 32; count += 1) {
        expect(await store.pins.create(aPin(victim, nowMs()))).toEqual({ kind: 'created' });
      }
    });

    it('can be taken back, which frees the session and the place', async () => {
      const { store, replica, nowMs } = await createHarness();
      const user = aUser();
      const pins = Array.from({ length: 32 }, () => aPin(user, nowMs()));
      for (const pin of pins) await store.pins.create(pin);
      const taken = pins[5] ?? aPin(user, nowMs());
      await replica.pins.remove(taken);

      expect(await store.pins.read(taken.authorizationSessionKey)).toBeUndefined();
      expect(await store.pins.readLiveUntil(taken.authorizationSessionKey, user)).toBeUndefined();
      expect(await store.pins.create(aPin(user, nowMs()))).toEqual({ kind: 'created' });
      expect(await store.pins.create(aPin(user, nowMs()))).toEqual({ kind: 'too_many' });
      const others = aPin(aUser(), nowMs(), taken.authorizationSessionKey);
      expect(await store.pins.create(others)).toEqual({ kind: 'created' });
    });

    it('are not taken back by somebody whose pin is not the one that is there [SB-34]', async () => {
      const { store, nowMs } = await createHarness();
      const user = aUser();
      const pin = aPin(user, nowMs());
      await store.pins.create(pin);
      await store.pins.remove(aPin(aUser(), nowMs(), pin.authorizationSessionKey));
      await store.pins.remove(aPin(user, nowMs(), pin.authorizationSessionKey));
      await store.pins.remove(aPin(user, nowMs()));

      expect(await store.pins.read(pin.authorizationSessionKey)).toEqual(pin);
    });
  });
}
