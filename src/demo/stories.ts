import { Browser, type Page } from './browser.ts';
import type { OpenedFlow } from './agent.ts';
import type { Feed } from './feed.ts';
import { APP_CLIENT_ID, subjectOf, type World } from './world.ts';

/** What somebody sees at the end. */
export interface Sight {
  readonly whose: string;
  readonly page: Page;
}

export interface Story {
  readonly id: string;
  /** On the button. */
  readonly title: string;
  readonly tells: string;
  play(stage: StoryStage): Promise<{ readonly flow: OpenedFlow; readonly sights: readonly Sight[] }>;
}

export interface StoryStage {
  readonly world: World;
  readonly feed: Feed;
}

/** What goes wrong in life, played by scripted browsers against the very service that the page uses. */
export const STORIES: readonly Story[] = [
  {
    id: 'deny',
    title: 'Deny',
    tells: 'Alice opens her link and says no at GitHub.',
    async play(stage) {
      const { flow, startUrl } = await invoke(stage);
      const alice = new Person('alice');
      return { flow, sights: [await alice.sees(alice.decides(await alice.opens(startUrl), 'deny'))] };
    },
  },
  {
    id: 'wrong-user',
    title: 'Wrong user',
    tells: 'Alice’s link is opened in Bob’s window. GitHub’s page is not even reached.',
    async play(stage) {
      const { flow, startUrl } = await invoke(stage);
      const bob = new Person('bob');
      return { flow, sights: [await bob.sees(bob.opens(startUrl))] };
    },
  },
  {
    id: 'forwarded',
    title: 'Forwarded link',
    tells: 'Alice sends Bob the bare consent address. He falls for it and allows: his GitHub would be hers.',
    async play(stage) {
      const { flow } = await invoke(stage);
      const bob = new Person('bob');
      const back = await bob.decides(await bob.opens(flow.authorizationUrl), 'allow');
      return { flow, sights: [await bob.sees(bob.signsIn(back))] };
    },
  },
  {
    id: 'replay',
    title: 'Replay',
    tells: 'Alice’s finished callback is opened again: by Bob, and by herself.',
    async play(stage) {
      const { flow, startUrl } = await invoke(stage);
      const [alice, bob] = [new Person('alice'), new Person('bob')];
      const { url } = await alice.decides(await alice.opens(startUrl), 'allow');
      return { flow, sights: [await bob.sees(bob.opens(url)), await alice.sees(alice.opens(url))] };
    },
  },
  {
    id: 'expired',
    title: 'Expired link',
    tells: 'Alice allows, and her browser comes back after eleven minutes.',
    async play(stage) {
      const { flow, startUrl } = await invoke(stage);
      const alice = new Person('alice');
      const callback = await alice.allowsAndWaits(await alice.opens(startUrl));
      stage.feed.heading('eleven minutes later');
      stage.world.emulator.agentcore.advance(11 * 60_000);
      return { flow, sights: [await alice.sees(alice.opens(callback))] };
    },
  },
  {
    id: 'outage',
    title: 'AWS outage',
    tells: 'AgentCore is down when Alice comes back. A little later she tries again.',
    async play({ world, feed }) {
      const { flow, startUrl } = await invoke({ world, feed });
      const alice = new Person('alice');
      const consent = await alice.opens(startUrl);
      world.emulator.agentcore.faults.inject('throttled', 3);
      const outage = await alice.decides(consent, 'allow');
      world.emulator.agentcore.faults.clear();
      feed.heading('AWS is back');
      return { flow, sights: [await alice.sees(outage), await alice.sees(alice.opens(outage.url))] };
    },
  },
  {
    id: 'refreshed',
    title: 'Token refreshed',
    tells:
      'Alice’s app gets her a new token while she reads GitHub’s page. AgentCore takes only the old one.',
    async play(stage) {
      const { flow, startUrl } = await invoke(stage);
      const alice = new Person('alice');
      const consent = await alice.opens(startUrl);
      await stage.world.client.storeUserToken({ userToken: await userTokenOf(stage) });
      return { flow, sights: [await alice.sees(alice.decides(consent, 'allow'))] };
    },
  },
];

/** Alice has invoked the agent, which needs her GitHub; her link is ready to be shown. */
async function invoke(stage: StoryStage) {
  const { storyAgent, client } = stage.world;
  const userToken = await userTokenOf(stage);
  const flow = await storyAgent.open(userToken);
  const { authorizationUrl } = flow;
  const label = 'GitHub for the story’s agent';
  const { startUrl } = await client.storeUserToken({ userToken, authorizationUrl, label });
  return { flow, startUrl };
}

function userTokenOf({ world }: StoryStage): Promise<string> {
  const [username, clientId] = ['alice', APP_CLIENT_ID];
  return world.emulator.cognito.accessToken({ subject: subjectOf(username), username, clientId });
}

/** Somebody with a browser of his own, who signs in wherever he is asked to. */
class Person {
  readonly #name: string;
  readonly #browser = new Browser();

  constructor(name: string) {
    this.#name = name;
  }

  async opens(url: string): Promise<Page> {
    return this.signsIn(await this.#browser.open(url));
  }

  /** At Cognito; on any other page nothing is to be done. */
  async signsIn(page: Page): Promise<Page> {
    if (new URL(page.url).pathname !== '/login') return page;
    return this.#browser.submit(page.url, { username: this.#name, password: this.#name });
  }

  async decides(consent: Page, decision: 'allow' | 'deny'): Promise<Page> {
    return this.#browser.submit(consent.url, { account: this.#name, decision });
  }

  /** Allows, and gives the callback to which his browser is on its way. */
  async allowsAndWaits(consent: Page): Promise<string> {
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const body = new URLSearchParams({ account: this.#name, decision: 'allow' }).toString();
    const atProvider = await this.#browser.send(consent.url, { method: 'POST', headers, body });
    const atAgentCore = await this.#browser.send(String(atProvider.headers['location']));
    return String(atAgentCore.headers['location']);
  }

  async sees(page: Page | Promise<Page>): Promise<Sight> {
    const name = `${this.#name.charAt(0).toUpperCase()}${this.#name.slice(1)}`;
    return { whose: `${name}’s window`, page: await page };
  }
}
