import { describe, expect, it } from 'vitest';
import { digest } from '../../src/binding/digest.ts';
import { userDigest } from '../../src/binding/user.ts';
import { Browser } from '../../src/demo/browser.ts';
import { readForm } from '../support/forms.ts';
import { startWorld } from '../support/world.ts';
import { consent, post, programPosts, whoIs } from './single-user.ts';

/** `SINGLE_USER=false`: whoever reaches the service may be anybody, so no click makes anybody somebody. */
describe('where several users share the service', () => {
  it('no sign-in link is given, and nobody becomes known [SB-04]', async () => {
    const world = await startWorld();
    const answer = await programPosts(world, await world.tokenOf('alice'));
    expect(Object.keys(answer).toSorted()).toEqual([
      'callback_url',
      'custom_state',
      'expires_at',
      'status',
      'user',
    ]);
    expect(await world.store.signInCodes.listCandidates()).toEqual([]);
  });

  it('a click signs nobody in, whatever it carries [SB-04]', async () => {
    const world = await startWorld();
    const token = await world.tokenOf('alice');
    await programPosts(world, token);
    const candidate = {
      user: { issuer: world.issuer.issuer, subject: 'sub-of-alice' },
      tokenExpiresAtMs: Date.now() + 60_000,
    };
    await world.store.signInCodes.writeCandidate(candidate);
    await world.store.signInCodes.writeCode(digest('a-code'), candidate, Date.now() + 60_000);
    const mallory = await world.signedIn(await world.tokenOf('mallory'));
    const page = await mallory.open(`${world.url}/sign-in?code=a-code`);
    expect(page.body).not.toContain('Continue');
    const { fields } = readForm(page, 'Sign out of all my browsers');
    for (const choice of [{ code: 'a-code' }, { candidate: userDigest(candidate.user) }]) {
      const headers = { accept: 'application/json' };
      const answer = await post(mallory, `${world.url}/sign-in`, { ...fields, ...choice }, headers);
      expect([answer.status, JSON.parse(answer.body).code]).toEqual([404, 'not_found']);
    }
    expect(await whoIs(mallory, world)).toBe('mallory');
    expect(await world.store.signInCodes.readCode(digest('a-code'))).toBeDefined();
  });

  it('a browser that is nobody is told so, and offered nothing [SB-04]', async () => {
    const world = await startWorld();
    const token = await world.tokenOf('alice');
    await programPosts(world, token);
    const { callback } = await consent(world, token);
    for (const url of [callback, `${world.url}/sign-in`, `${world.url}/sign-in?code=x`]) {
      const person = new Browser();
      const page = await person.open(url);
      expect([page.status, page.body.includes('We do not know this browser')]).toEqual([401, true]);
      expect(page.body).not.toMatch(/<form|alice/);
      expect(page.headers['www-authenticate']).toContain('Bearer');
      expect([...person.cookies(world.url)]).toEqual([]);
    }
    expect(world.agentcore.completeCalls).toBe(0);
  });

  it('a refusal does not lead to the sign-in page', async () => {
    const world = await startWorld();
    const alice = await world.signedIn(await world.tokenOf('alice'));
    const page = await alice.open(`${world.url}/oauth2/callback?error=access_denied`);
    expect(page.body).toContain('Signed in as <bdi>alice</bdi>');
    expect(page.body).not.toContain('Not you?');
  });
});
