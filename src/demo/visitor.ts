import { randomBytes } from 'node:crypto';
import { createTokenPoller, SessionBindingError } from '../client/client.ts';
import type { Resource } from './agent.ts';
import type { Feed } from './feed.ts';
import { isJsonObject } from '../issuer/json-object.ts';
import type { World } from './world.ts';

export interface SignedIn {
  readonly username: string;
  readonly userToken: string;
}

/** What stands in the conversation. */
export type Message =
  | { readonly kind: 'you'; readonly text: string }
  | { readonly kind: 'agent'; readonly text: string; readonly items?: readonly string[] }
  /** The agent asks for consent. `open`: it still waits for it. */
  | { readonly kind: 'link'; readonly url: string; readonly label: string; isOpen: boolean };

export const QUESTIONS = {
  repositories: {
    text: 'What are my private repositories?',
    label: 'GitHub for the sales agent',
    resource: { provider: 'github', scope: 'repo' },
    found: 'Your private repositories:',
    path: '/search/repositories?q=is:private',
    list: 'items',
    name: 'full_name',
  },
  files: {
    text: 'List my files',
    label: 'Google Drive for the sales agent',
    resource: { provider: 'google', scope: 'https://www.googleapis.com/auth/drive.readonly' },
    found: 'Your files:',
    path: '/drive/v3/files',
    list: 'files',
    name: 'name',
  },
} as const;

export type Question = keyof typeof QUESTIONS;

export function isQuestion(text: string | null): text is Question {
  return text !== null && Object.hasOwn(QUESTIONS, text);
}

const ENDINGS: Readonly<Record<string, string>> = {
  consent_denied:
    'You said no, and the service told me at once. Nothing is connected. Ask again whenever you like.',
  authorization_expired: 'The ten minutes for your consent are over. Ask again, and I get a new link.',
  authorization_refused: 'AgentCore did not accept it. Nothing is connected.',
  outcome_unknown: 'The answer of AWS was lost. Ask again: then I see whether it is connected.',
};

/** Somebody's browser at the agent's page, and what he and the agent have said. */
export class Visitor {
  readonly id = randomBytes(24).toString('base64url');
  /** What goes to Cognito and must come back. */
  readonly pending = new Map<string, string>();
  messages: Message[] = [];
  user: SignedIn | undefined;
  onChange: () => void = () => {};
  #asking = new AbortController();

  signIn(user: SignedIn | undefined): void {
    this.#asking.abort();
    this.#asking = new AbortController();
    this.user = user;
    this.messages = [];
    this.onChange();
  }

  leave(): void {
    this.#asking.abort();
  }

  /** The whole of an agent that needs somebody's data: what it has, or a link, patience, and then the data. */
  async ask(question: Question, world: World, feed: Feed): Promise<void> {
    const { user } = this;
    if (user === undefined) return;
    const { signal } = this.#asking;
    const { text, label, resource } = QUESTIONS[question];
    this.#say({ kind: 'you', text });
    feed.heading(`${user.username}: ${text}`);
    try {
      const accessToken = await this.#accessTokenFor(user, resource, label, world, feed, signal);
      const items = await look(question, accessToken, world);
      if (!signal.aborted) this.#say({ kind: 'agent', text: QUESTIONS[question].found, items });
    } catch (error) {
      if (signal.aborted) return;
      const code = error instanceof SessionBindingError ? error.code : 'something unforeseen';
      this.#say({ kind: 'agent', text: ENDINGS[code] ?? `That did not work: ${code}.` });
    }
  }

  async #accessTokenFor(
    { userToken }: SignedIn,
    resource: Resource,
    label: string,
    { agent, client }: World,
    feed: Feed,
    signal: AbortSignal,
  ): Promise<string> {
    const access = await agent.access(userToken, resource);
    if (access.kind === 'granted') return access.accessToken;
    const { flow } = access;
    const { authorizationUrl, sessionUri } = flow;
    const { startUrl } = await client.storeUserToken({ userToken, authorizationUrl, label, signal });
    const link: Message = { kind: 'link', url: startUrl, label, isOpen: true };
    this.#say(link);
    feed.hop('agent', 'service', 'authorizations', 'waits');
    const fetchToken = () => agent.accessToken(flow, resource);
    try {
      return await createTokenPoller({ client, userToken, sessionUri, fetchToken, signal }).pollForToken();
    } finally {
      link.isOpen = false;
      this.onChange();
    }
  }

  #say(message: Message): void {
    this.messages.push(message);
    this.onChange();
  }
}

/** The names of what the user has there. */
async function look(
  question: Question,
  accessToken: string,
  { emulator }: World,
): Promise<readonly string[]> {
  const { path, list, name, resource } = QUESTIONS[question];
  const { origin } = resource.provider === 'github' ? emulator.github : emulator.google;
  const response = await fetch(origin + path, { headers: { authorization: `Bearer ${accessToken}` } });
  const body: unknown = await response.json();
  const found: unknown = isJsonObject(body) ? body[list] : undefined;
  return Array.isArray(found)
    ? found.map((item: unknown) => (isJsonObject(item) ? String(item[name]) : ''))
    : [];
}
