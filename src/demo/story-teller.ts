import type { Feed } from './feed.ts';
import { STORIES, type Story } from './stories.ts';
import { subjectOf, type World } from './world.ts';

export interface StoryWindow {
  readonly id: string;
  readonly whose: string;
  /** Host and path: the query carries the flow. */
  readonly address: string;
  readonly status: number;
  readonly body: string;
  /** The page's own Content-Security-Policy. */
  readonly policy: string;
}

export interface StoryResult {
  readonly story: Pick<Story, 'title' | 'tells'>;
  readonly windows: readonly StoryWindow[];
  readonly connectedFor: string | undefined;
  /** How often AgentCore was asked to bind. */
  readonly calls: number;
}

/** Plays one story at a time and keeps what came of the last. */
export class StoryTeller {
  playing: string | undefined;
  result: StoryResult | undefined;
  readonly #world: World;
  readonly #feed: Feed;
  readonly #onChange: () => void;
  #played = 0;

  constructor(world: World, feed: Feed, onChange: () => void) {
    this.#world = world;
    this.#feed = feed;
    this.#onChange = onChange;
  }

  async play(id: string | null): Promise<void> {
    const story = STORIES.find((candidate) => candidate.id === id);
    if (story === undefined || this.playing !== undefined) return;
    this.playing = story.id;
    this.#onChange();
    const { agentcore } = this.#world.emulator;
    const callsBefore = agentcore.completeCalls;
    this.#feed.heading(`${story.title}: ${story.tells}`);
    try {
      const { flow, sights } = await story.play({ world: this.#world, feed: this.#feed });
      this.#played += 1;
      this.result = {
        story,
        windows: sights.map(({ whose, page }, index) => ({
          id: `${this.#played}-${index}`,
          whose,
          address: new URL(page.url).host + new URL(page.url).pathname,
          status: page.status,
          body: page.body,
          policy: String(page.headers['content-security-policy'] ?? "default-src 'none'"),
        })),
        connectedFor: this.#ownerOf(flow.sessionUri),
        calls: agentcore.completeCalls - callsBefore,
      };
    } catch (error) {
      this.#feed.heading(`The story broke off: ${error instanceof Error ? error.message : String(error)}`);
    } finally {
      agentcore.faults.clear();
      this.playing = undefined;
      this.#onChange();
    }
  }

  window(id: string): StoryWindow | undefined {
    return this.result?.windows.find((candidate) => candidate.id === id);
  }

  #ownerOf(sessionUri: string): string | undefined {
    const owner = this.#world.emulator.agentcore.vaultOwnerOf(sessionUri);
    if (owner?.kind !== 'jwt') return undefined;
    return ['alice', 'bob'].find((name) => subjectOf(name) === owner.subject) ?? owner.subject;
  }
}
