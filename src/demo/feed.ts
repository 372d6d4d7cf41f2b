import type { EmulatedCall } from '../emulator/emulated-call.ts';
import { isJsonObject } from '../issuer/json-object.ts';

/** Who takes part in a flow, in the order of the drawing's columns. */
export const PLACES = ['browser', 'agent', 'service', 'agentcore', 'provider', 'cognito'] as const;

export type Place = (typeof PLACES)[number];

/** One request that somebody made: where to, and what came of it. Neither secrets nor ids. */
export interface Hop {
  readonly kind: 'hop';
  readonly from: Place;
  readonly to: Place;
  readonly what: string;
  readonly answer: string;
  readonly mood: 'good' | 'stop' | 'plain';
}

/** What the hops below it belong to. */
export interface Heading {
  readonly kind: 'heading';
  readonly text: string;
}

export type FeedEntry = Hop | Heading;

const MOST_ENTRIES = 150;

/** The flow as it happens, for the drawing. */
export class Feed {
  readonly entries: FeedEntry[] = [];
  readonly #onEntry: (entry: FeedEntry) => void;
  /** Cognito does not say who redeems a code; the agent's page does so itself, and tells. */
  tokensGoTo: 'agent' | 'service' = 'service';

  constructor(onEntry: (entry: FeedEntry) => void) {
    this.#onEntry = onEntry;
  }

  heading(text: string): void {
    this.#add({ kind: 'heading', text });
  }

  hop(from: Place, to: Place, what: string, answer: string): void {
    this.#add({ kind: 'hop', from, to, what, answer, mood: moodOf(answer) });
  }

  /** One call as the emulator tells of it. */
  call({ to, what, answer }: EmulatedCall): void {
    switch (to) {
      case 'cognito':
        return what === 'oauth2/token' || what === 'oauth2/userInfo'
          ? this.hop(this.tokensGoTo, 'cognito', what, answer)
          : this.hop('browser', 'cognito', what, answer);
      case 'agentcore':
        if (what === 'CompleteResourceTokenAuth') return this.hop('service', 'agentcore', what, answer);
        return this.hop(
          what === 'authorize' || what === 'callback' ? 'browser' : 'agent',
          'agentcore',
          what,
          answer,
        );
      case 'github':
      case 'google': {
        const path = what.split('/').at(-1) ?? what;
        if (path === 'access_token' || path === 'token')
          return this.hop('agentcore', 'provider', path, answer);
        const isPage = path === 'authorize' || path === 'auth';
        return this.hop(isPage ? 'browser' : 'agent', 'provider', isPage ? 'consent' : path, answer);
      }
    }
  }

  /** One line of the service's log: what its operator reads. */
  line(text: string): void {
    const line = parseLine(text);
    const answer = typeof line['code'] === 'string' ? line['code'] : '';
    switch (line['event']) {
      case 'user_token':
        return this.hop('agent', 'service', 'userIdentifier/token', answer);
      case 'start':
        return this.hop('browser', 'service', 'oauth2/start', answer);
      case 'sign_in':
        return this.hop('browser', 'service', 'login/callback', 'signed in');
      case 'callback':
        return this.hop('browser', 'service', 'oauth2/callback', answer);
      case 'refused':
        return this.hop('browser', 'service', 'refused', answer);
    }
  }

  #add(entry: FeedEntry): void {
    this.entries.push(entry);
    if (this.entries.length > MOST_ENTRIES) this.entries.shift();
    this.#onEntry(entry);
  }
}

function parseLine(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : {};
  } catch {
    return {};
  }
}

function moodOf(answer: string): Hop['mood'] {
  if (answer === 'completed' || answer === 'ok') return 'good';
  // A status below 400, or a word for a step on the way.
  return /^(?:[123]\d\d|kept|started|signed in|not_signed_in|waits)$/.test(answer) ? 'plain' : 'stop';
}
