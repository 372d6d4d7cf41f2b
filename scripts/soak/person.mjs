import { Browser } from '../../dist/demo/browser.js';
import { OUTCOMES } from '../../dist/pages/outcomes.js';
import { CLIENT_ID } from '../measure/start-service.mjs';

/** Longer than anything may take: ten seconds of a callback, and a machine that others keep busy. */
const ANSWER_BUDGET_MS = 30_000;
/** Who lost his replica, or the store, in the middle of a callback can finish within thirty seconds (contract §10). */
const FINISH_BUDGET_MS = 45_000;
/** A user may have 32 live pins, of ten minutes each: then somebody new comes. */
const FLOWS_PER_LIFE = 16;
const MOST_FLOWS = 28;

const NAVIGATION = {
  'sec-fetch-site': 'cross-site',
  'sec-fetch-mode': 'navigate',
  'sec-fetch-dest': 'document',
};
/** Codes after which the same link is worth another try, and is promised to be. */
const RETRYABLE = new Set([
  'agentcore_unavailable',
  'in_progress',
  'issuer_unavailable',
  'overloaded',
  'store_unavailable',
]);
const SAYS_NOT_CONNECTED = new Set(['authorization_expired', 'token_refused', 'agentcore_forbidden']);
/** Of two codes with one title the first: `pin_required` is asked of nobody here. */
const TITLES = new Map(
  Object.entries(OUTCOMES)
    .map(([code, { title }]) => [title, code])
    .toReversed(),
);
TITLES.set('You are already connected', 'completed');

let serial = 0;

/** Somebody with a browser of his own, who lives in a town: its services, AgentCore, issuer and ledger. */
export class Person {
  #town;
  #random;
  #browser = new Browser();
  #flows = [];
  #isSignedIn = false;
  subject = `person-${(serial += 1)}`;

  constructor(town, random) {
    this.#town = town;
    this.#random = random;
  }

  get isOld() {
    return this.#flows.length >= FLOWS_PER_LIFE;
  }

  /** One thing that people do, or that is done to them. */
  async act(others) {
    const deeds = [
      [6, () => this.#connect()],
      [2, () => this.#refuse()],
      [2, () => this.#connectInTwoTabs()],
      [2, () => this.#visitWithForgedState()],
      [3, () => this.#openLinkOf(this.#random.of(others))],
      [2, () => this.#replay()],
      [2, () => this.#watch()],
      [1, () => this.#signOut()],
      [1, () => this.#hangUp()],
      [1, () => this.#leaveOpen()],
    ];
    let left = this.#random.next() * deeds.reduce((sum, [weight]) => sum + weight, 0);
    for (const [weight, deed] of deeds) {
      left -= weight;
      if (left < 0) return deed();
    }
  }

  /** When everything works again: every flow of his that was allowed and is not bound can be finished. */
  async finishAll() {
    for (const flow of this.#flows) {
      if (flow.isOver || !flow.isPinned) continue;
      const deadlineMs = performance.now() + FINISH_BUDGET_MS;
      let code;
      do {
        code = await this.#signInAndVisit(flow);
        if (!RETRYABLE.has(code) && code !== 'not answered' && code !== 'rate_limited') break;
        await pause(500);
      } while (performance.now() < deadlineMs);
      const isBound = this.#town.agentcore.vaultOwnerOf(flow.sessionUri) !== undefined;
      flow.isOver = true;
      if (code !== 'completed' && !(isBound && code === 'outcome_unknown')) {
        this.#town.broken.add(`${this.subject} is locked out of a flow of his own: ${code}`);
      }
    }
  }

  // What people do.

  async #connect() {
    const flow = await this.#announce();
    if (flow === undefined) return;
    if (this.#random.next() < 0.5) await this.#openStartLink(flow);
    flow.search = await this.#consent(flow, 'allow');
    await this.#visit(flow);
  }

  async #connectInTwoTabs() {
    const flow = await this.#announce();
    if (flow === undefined) return;
    flow.search = await this.#consent(flow, 'allow');
    await Promise.all([this.#visit(flow), this.#visit(flow)]);
  }

  async #refuse() {
    const flow = await this.#announce();
    if (flow === undefined) return;
    await this.#visit({ ...flow, search: await this.#consent(flow, 'deny') });
    flow.isOver = true;
  }

  async #visitWithForgedState() {
    const flow = await this.#announce();
    if (flow === undefined) return;
    flow.search = await this.#consent(flow, 'allow');
    const code = await this.#visit({ ...flow, search: `${flow.search}&state=sb1.forged` });
    if (code === 'completed') this.#town.broken.add('a forged state did not veto');
    await this.#visit(flow);
  }

  /** A link of somebody else's reaches this browser: forwarded, or lured here. */
  async #openLinkOf(other) {
    const flow = other?.anyFlow();
    if (other === this || flow?.search === undefined) return;
    if (!this.#isSignedIn) await this.#post({});
    await this.#visit(flow);
    if (flow.startUrl !== undefined) await this.#ask(flow.startUrl, { headers: NAVIGATION });
  }

  anyFlow() {
    return this.#random.of(this.#flows);
  }

  async #replay() {
    const flow = this.anyFlow();
    if (flow?.search === undefined) return;
    await Promise.all([this.#visit(flow), this.#visit(flow)]);
  }

  async #watch() {
    const flow = this.anyFlow();
    if (flow === undefined) return;
    const url = `${this.#replica()}/authorizations/${flow.sessionUri}?wait=2`;
    await this.#ask(url, { headers: { authorization: `Bearer ${flow.userToken}` } });
  }

  async #signOut() {
    const page = await this.#ask(`${this.#town.publicUrl}/sign-in`, {
      headers: { ...NAVIGATION, accept: 'text/html' },
    });
    const csrfToken = /name="csrf_token" value="([^"]+)"/.exec(page?.body ?? '')?.[1];
    if (csrfToken === undefined) return;
    const forgets = this.#random.next() < 0.3;
    const answer = await this.#ask(`${this.#town.publicUrl}/sign-out`, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        origin: this.#town.publicUrl,
        'sec-fetch-site': 'same-origin',
      },
      body: new URLSearchParams({ csrf_token: csrfToken, ...(forgets && { forget: '1' }) }).toString(),
    });
    if (answer?.status === 200) this.#isSignedIn = false;
  }

  /** Closes the tab while AgentCore is being asked. */
  async #hangUp() {
    const flow = await this.#announce();
    if (flow === undefined) return;
    flow.search = await this.#consent(flow, 'allow');
    const hurry = AbortSignal.timeout(Math.floor(30 * this.#random.next()));
    await fetch(`${this.#replica()}/oauth2/callback${flow.search}`, {
      headers: { cookie: this.#cookies() },
      redirect: 'manual',
      signal: hurry,
    }).catch(() => undefined);
  }

  /** Consents, and does not come back before everything works again. */
  async #leaveOpen() {
    const flow = await this.#announce();
    if (flow !== undefined) flow.search = await this.#consent(flow, 'allow');
  }

  // How they do it.

  /** His agent needs consent; his app pins the flow. Undefined where that did not work out. */
  async #announce() {
    if (this.#flows.length >= MOST_FLOWS) return undefined;
    const town = this.#town;
    const userToken = await town.issuer.accessToken({
      subject: this.subject,
      username: this.subject,
      clientId: CLIENT_ID,
    });
    const { sessionUri, authorizationUrl } = await town.agent.open(userToken);
    const flow = { sessionUri, authorizationUrl, userToken, isPinned: false, isOver: false };
    town.opened += 1;
    town.ledger.opened({ sessionUri, subject: this.subject, userToken });
    this.#flows.push(flow);
    if ((await this.#pin(flow)) !== 200) return undefined;
    return flow;
  }

  async #pin(flow) {
    const body = { authorization_url: flow.authorizationUrl, label: 'GitHub for the soak' };
    const answer = await this.#post(body, flow.userToken);
    if (answer?.status !== 200) return answer?.status;
    flow.isPinned = true;
    this.#town.ledger.pinned(flow.sessionUri);
    flow.startUrl = JSON.parse(answer.body).start_url;
    return 200;
  }

  async #post(more, userToken) {
    const town = this.#town;
    const user_token =
      userToken ??
      (await town.issuer.accessToken({ subject: this.subject, username: this.subject, clientId: CLIENT_ID }));
    const answer = await this.#within(
      this.#browser.postJson(`${this.#replica()}/userIdentifier/token`, town.publicUrl, {
        user_token,
        ...more,
      }),
    );
    if (answer?.status === 200) this.#isSignedIn = true;
    return answer;
  }

  async #openStartLink(flow) {
    const { pathname, search } = new URL(flow.startUrl);
    const answer = await this.#ask(`${this.#replica()}${pathname}${search}`, { headers: NAVIGATION });
    const leadsTo = answer?.headers.location;
    if (answer?.status === 303 && leadsTo !== flow.authorizationUrl) {
      this.#town.broken.add('a start link led elsewhere than to its own authorization URL');
    }
  }

  async #consent({ authorizationUrl }, decision) {
    const answer = await fetch(authorizationUrl, {
      method: 'POST',
      redirect: 'manual',
      body: new URLSearchParams({ decision }),
    });
    return new URL(answer.headers.get('location')).search;
  }

  async #signInAndVisit(flow) {
    const status = await this.#pin(flow);
    if (status !== 200) return status === 503 ? 'store_unavailable' : `pin ${status}`;
    // In the browser in which it is finished, which may not be the one in which it was started.
    await this.#openStartLink(flow);
    flow.search ??= await this.#consent(flow, 'allow');
    return this.#visit(flow);
  }

  /** The code of the answer, or 'not answered'. The ledger hears of it. */
  async #visit({ sessionUri, search }) {
    const accept = this.#random.next() < 0.3 ? 'text/html' : 'application/json';
    const page = await this.#ask(`${this.#replica()}/oauth2/callback${search}`, {
      headers: { ...NAVIGATION, accept },
    });
    if (page === undefined) return 'not answered';
    const code = codeOf(page);
    this.#town.ledger.told(sessionUri, this.subject, code, this.#town.agentcore);
    if (code === 'internal_error') this.#town.broken.add('somebody was told "internal_error"');
    const own = this.#flows.find((flow) => flow.sessionUri === sessionUri);
    if (own?.isBound && SAYS_NOT_CONNECTED.has(code)) {
      this.#town.broken.add(`${this.subject} is connected and was told "${code}"`);
    }
    if (own !== undefined && code === 'completed') own.isBound = own.isOver = true;
    return code;
  }

  #ask(url, options) {
    return this.#within(this.#browser.send(url, options));
  }

  /** The answer, or undefined: a broken connection is one, and an answer that never comes breaks a promise. */
  async #within(answering) {
    const town = this.#town;
    town.asked += 1;
    let timer;
    const never = new Promise((resolve) => {
      timer = setTimeout(() => {
        town.broken.add(`a request was not answered within ${ANSWER_BUDGET_MS / 1000} s`);
        resolve(undefined);
      }, ANSWER_BUDGET_MS);
    });
    try {
      return await Promise.race([answering, never]);
    } catch {
      town.broken.add('a connection was broken off before the answer');
      return undefined;
    } finally {
      clearTimeout(timer);
    }
  }

  #replica() {
    return this.#random.of(this.#town.urls);
  }

  #cookies() {
    return [...this.#browser.cookies(this.#town.publicUrl)]
      .map(([name, value]) => `${name}=${value}`)
      .join('; ');
  }
}

function codeOf({ body, headers, status }) {
  if (String(headers['content-type']).startsWith('text/html')) {
    const title = /<title>([^<]*)<\/title>/.exec(body)?.[1];
    return TITLES.get(title) ?? `page "${title}"`;
  }
  try {
    const { code, status: said } = JSON.parse(body);
    return code ?? said;
  } catch {
    return `status ${status}`;
  }
}

function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
