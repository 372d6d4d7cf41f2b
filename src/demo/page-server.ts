import type { IncomingMessage, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import type { Html } from '../pages/html.ts';
import { Feed, type FeedEntry } from './feed.ts';
import { renderConversation, renderEntry, renderFlow, renderPage, renderStories } from './page.ts';
import { listenForPage } from './page-listener.ts';
import { PAGE_SCRIPT } from './page-script.ts';
import { PAGE_STYLE } from './page-style.ts';
import { redeemCode, signInUrl } from './page-sign-in.ts';
import { StoryTeller } from './story-teller.ts';
import { isQuestion, Visitor } from './visitor.ts';
import { startWorld, type World } from './world.ts';

export interface PageServer {
  readonly url: string;
  readonly port: number;
  close(): Promise<void>;
}

export interface PageServerOptions {
  readonly port: number;
  readonly onProgress: (part: string, url: string) => void;
}

const COOKIE = 'session-binding-demo';
const MOST_VISITORS = 100;
const ENTRANCES: ReadonlySet<string> = new Set(['/', '/sign-in']);

/** The agent's page, and the world behind it. */
export async function startPageServer({ port, onProgress }: PageServerOptions): Promise<PageServer> {
  let page: AgentPage | undefined;
  const listener = await listenForPage((request, response) => {
    if (page === undefined) {
      send(response.setHeader('refresh', '1'), 503, 'text/plain; charset=utf-8', 'Starting …');
      return;
    }
    page.answer(request, response).catch(() => response.destroy());
  }, port);
  const url = `http://localhost:${listener.port}`;
  const feed = new Feed((entry) => page?.sendHop(entry));
  try {
    const world = await startWorld({ pageUrl: url, feed, onProgress });
    page = new AgentPage(url, world, feed);
    const { close } = page;
    return {
      url,
      port: listener.port,
      async close() {
        close();
        await listener.close();
        await world.close();
      },
    };
  } catch (error) {
    await listener.close();
    throw error;
  }
}

class AgentPage {
  readonly #url: string;
  readonly #world: World;
  readonly #feed: Feed;
  readonly #teller: StoryTeller;
  readonly #visitors = new Map<string, Visitor>();
  /** Open streams of events, and whose they are. */
  readonly #streams = new Map<ServerResponse, Visitor>();

  constructor(url: string, world: World, feed: Feed) {
    this.#url = url;
    this.#world = world;
    this.#feed = feed;
    this.#teller = new StoryTeller(world, feed, () => this.#sendAll('stories', renderStories(this.#teller)));
  }

  sendHop(entry: FeedEntry): void {
    this.#sendAll('hop', renderEntry(entry));
  }

  readonly close = (): void => {
    for (const visitor of this.#visitors.values()) visitor.leave();
    for (const stream of this.#streams.keys()) stream.end();
  };

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { host, origin } = request.headers;
    // Somebody else's name that resolves to this machine, and somebody else's form: not this page's.
    if (host !== new URL(this.#url).host) return send(response, 421, 'text/plain', `Open ${this.#url}`);
    if (request.method === 'POST' && origin !== this.#url)
      return send(response, 403, 'text/plain', 'Not from here');
    const url = new URL(request.url ?? '/', this.#url);
    const known = this.#visitorOf(request);
    // Whoever never opened the page is given no place among those who did.
    const visitor = known ?? (ENTRANCES.has(url.pathname) ? this.#welcome(response) : new Visitor());
    switch (`${request.method} ${url.pathname}`) {
      case 'GET /': {
        const state = { visitor, entries: this.#feed.entries, teller: this.#teller };
        return send(response, 200, 'text/html; charset=utf-8', renderPage(state).toString(), this.#policy());
      }
      case 'GET /demo.css':
        return send(response, 200, 'text/css', PAGE_STYLE);
      case 'GET /demo.js':
        return send(response, 200, 'text/javascript', PAGE_SCRIPT);
      case 'GET /events':
        return this.#stream(response, visitor);
      case 'GET /sign-in':
        return redirect(
          response,
          await signInUrl(this.#url, url.searchParams.get('as'), visitor, this.#world),
        );
      case 'GET /signed-in': {
        const signedIn = await redeemCode(this.#url, url.searchParams, visitor, this.#world, this.#feed);
        // A link from elsewhere to here must not sign anybody out.
        if (signedIn !== undefined) visitor.signIn(signedIn);
        return redirect(response, '/');
      }
      case 'POST /sign-out':
        visitor.signIn(undefined);
        // All ports of localhost share their cookies: the next person must not meet the service as this one.
        response.appendHeader('set-cookie', 'session-binding=; Path=/; Max-Age=0');
        return redirect(response, '/');
      case 'POST /ask': {
        const question = new URLSearchParams(await text(request)).get('question');
        if (isQuestion(question)) void visitor.ask(question, this.#world, this.#feed);
        return redirect(response, '/');
      }
      case 'POST /play':
        void this.#teller.play(new URLSearchParams(await text(request)).get('story'));
        return redirect(response, '/');
      default:
        return this.#sendWindow(response, url.pathname);
    }
  }

  /** What a scripted browser saw, as the service sent it, in a frame where no script runs. */
  #sendWindow(response: ServerResponse, pathname: string): void {
    const window = this.#teller.window(pathname.replace(/^\/windows\//, ''));
    if (window === undefined) return send(response, 404, 'text/plain', 'Not found');
    const policy = window.policy.replace(/frame-ancestors [^;]*/, "frame-ancestors 'self'");
    send(response, 200, 'text/html; charset=utf-8', window.body, `${policy}; sandbox allow-same-origin`);
  }

  #stream(response: ServerResponse, visitor: Visitor): void {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    this.#streams.set(response, visitor);
    response.on('close', () => this.#streams.delete(response));
    sendEvent(response, 'flow', renderFlow(this.#feed.entries));
    sendEvent(response, 'stories', renderStories(this.#teller));
    sendEvent(response, 'conversation', renderConversation(visitor));
  }

  #visitorOf(request: IncomingMessage): Visitor | undefined {
    const cookies = (request.headers.cookie ?? '').split('; ');
    const id = cookies.find((cookie) => cookie.startsWith(`${COOKIE}=`))?.slice(COOKIE.length + 1);
    return this.#visitors.get(id ?? '');
  }

  #welcome(response: ServerResponse): Visitor {
    const visitor = new Visitor();
    visitor.onChange = () => {
      for (const [stream, whose] of this.#streams) {
        if (whose === visitor) sendEvent(stream, 'conversation', renderConversation(visitor));
      }
    };
    for (const [oldestId, oldest] of this.#visitors) {
      if (this.#visitors.size < MOST_VISITORS) break;
      oldest.leave();
      this.#visitors.delete(oldestId);
    }
    this.#visitors.set(visitor.id, visitor);
    response.appendHeader('set-cookie', `${COOKIE}=${visitor.id}; Path=/; HttpOnly; SameSite=Lax`);
    return visitor;
  }

  #sendAll(event: string, content: Html): void {
    for (const stream of this.#streams.keys()) sendEvent(stream, event, content);
  }

  #policy(): string {
    return [
      "default-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'",
      "style-src 'self'; script-src 'self'; connect-src 'self'; frame-src 'self'",
    ].join('; ');
  }
}

function sendEvent(stream: ServerResponse, event: string, content: Html): void {
  stream.write(`event: ${event}\ndata: ${JSON.stringify(content.toString())}\n\n`);
}

function redirect(response: ServerResponse, location: string): void {
  response.writeHead(303, { location, 'cache-control': 'no-store' }).end();
}

function send(
  response: ServerResponse,
  status: number,
  type: string,
  body: string,
  policy = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'",
): void {
  response.writeHead(status, {
    'content-type': type,
    'cache-control': 'no-store',
    // Not `no-referrer`: with it browsers send `Origin: null` with the page's own forms.
    'referrer-policy': 'same-origin',
    'x-content-type-options': 'nosniff',
    'content-security-policy': policy,
  });
  response.end(body);
}
