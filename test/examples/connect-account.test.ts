import { describe, expect, it, onTestFinished } from 'vitest';
import { connectAccount, explain } from '../../examples/connect-account.ts';
import { SessionBindingError } from 'agentcore-session-binding/client';
import { shareWorld } from '../support/shared-world.ts';
import { awsClient, clientOf, decide } from './connecting.ts';

const world = shareWorld();

/** The example's agent, with a user in front of his browser. Everything that AgentCore is asked is counted. */
async function invoke(username: string, decision: 'allow' | 'deny' | 'nothing') {
  const userToken = await world().tokenOf(username);
  const browser = await world().signedIn(userToken);
  const { sessionBinding, paths } = clientOf(world());
  const asked = () => world().asked.filter(({ what }) => what === 'GetResourceOauth2Token').length;
  const before = asked();
  const leave = new AbortController();
  const links: string[] = [];
  const pages: Promise<number>[] = [];
  onTestFinished(() => leave.abort());
  const connecting = connectAccount(
    {
      agentcore: awsClient(world()),
      sessionBinding,
      workloadName: 'sales-agent',
      provider: 'github',
      scopes: ['repo'],
      label: 'GitHub for the sales agent',
      signal: leave.signal,
      showLink(startUrl) {
        links.push(startUrl);
        if (decision !== 'nothing')
          pages.push(decide(browser, startUrl, decision).then(({ status }) => status));
      },
    },
    userToken,
  );
  return { connecting, links, pages, paths, leave, questions: () => asked() - before };
}

describe('the example agent', () => {
  it('goes from needing consent to the access token and asks AgentCore twice in all', async () => {
    const { connecting, links, pages, questions, paths } = await invoke('alice', 'allow');
    const accessToken = await connecting;
    expect(world().agentcore.bindings.map((binding) => binding.accessToken)).toContain(accessToken);
    expect(await Promise.all(pages)).toEqual([200]);
    expect(links).toEqual([expect.stringMatching(/^http:\/\/localhost:\d+\/oauth2\/start\?flow=[\w.-]+$/)]);
    expect(questions()).toBe(2);
    // One poll, which the service held until the user was done.
    expect(paths()).toEqual(['userIdentifier', 'userIdentifier', 'authorizations']);
  });

  it('asks once, and shows no link, where the user is connected already', async () => {
    await (
      await invoke('carol', 'allow')
    ).connecting;
    const { connecting, links, questions } = await invoke('carol', 'nothing');
    await expect(connecting).resolves.toMatch(/./);
    expect({ links, questions: questions() }).toEqual({ links: [], questions: 1 });
  });

  it('stops with the denial: the poll that is under way answers, and AgentCore is not asked again', async () => {
    const { connecting, pages, questions, paths } = await invoke('dave', 'deny');
    const error: unknown = await connecting.catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'consent_denied' });
    expect(await Promise.all(pages)).toEqual([403]);
    expect(questions()).toBe(1);
    expect(paths()).toEqual(['userIdentifier', 'userIdentifier', 'authorizations']);
    expect(explain(error)).toBe('You declined. Say so if you change your mind.');
  });

  it('stops when its user goes away', async () => {
    const { connecting, leave, links, questions } = await invoke('erin', 'nothing');
    await expect.poll(() => links.length).toBe(1);
    leave.abort(new Error('the user left'));
    await expect(connecting).rejects.toThrow('the user left');
    expect(questions()).toBe(1);
  });

  it.each([
    ['authorization_expired', 'The link is no longer good. Shall I make a new one?'],
    ['timed_out', 'The link is no longer good. Shall I make a new one?'],
    ['user_mismatch', 'That did not work. Please try again later.'],
  ] as const)('tells its user what to do after %s', (code, words) => {
    expect(explain(new SessionBindingError(code))).toBe(words);
    expect(explain(new TypeError('a bug'))).toBe('That did not work. Please try again later.');
  });
});
