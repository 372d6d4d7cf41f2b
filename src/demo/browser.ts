import { request } from 'node:http';

/** One answer as a person sees it, after all redirects. */
export interface Page {
  readonly status: number;
  readonly url: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

export interface SendOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

const MAX_REDIRECTS = 10;

/**
 * A scripted browser: real HTTP, a cookie jar by host name (ports share cookies, as in every browser), redirects,
 * and the Fetch Metadata that Chromium sends. Plain http only; loopback is all it is for.
 */
export class Browser {
  readonly #jars = new Map<string, Map<string, string>>();

  /** Opens a URL as a person does, and follows redirects. */
  async open(url: string): Promise<Page> {
    return this.#follow(url, { headers: NAVIGATION });
  }

  /** Submits a form of a page at that very origin, and follows redirects. */
  async submit(url: string, fields: Readonly<Record<string, string>>): Promise<Page> {
    return this.#follow(url, {
      method: 'POST',
      headers: {
        ...NAVIGATION,
        'content-type': 'application/x-www-form-urlencoded',
        origin: new URL(url).origin,
        'sec-fetch-site': 'same-origin',
      },
      body: new URLSearchParams(fields).toString(),
    });
  }

  /** A page at `origin` posts JSON with credentials, as a single-page app does. */
  async postJson(url: string, origin: string, value: unknown): Promise<Page> {
    return this.send(url, {
      method: 'POST',
      headers: {
        accept: 'application/json',
        'content-type': 'application/json',
        origin,
        'sec-fetch-site': 'same-origin',
        'sec-fetch-mode': 'cors',
        'sec-fetch-dest': 'empty',
      },
      body: JSON.stringify(value),
    });
  }

  /** The cookies it would send to that URL, by name. */
  cookies(url: string): ReadonlyMap<string, string> {
    return this.#jars.get(new URL(url).hostname) ?? new Map();
  }

  /** One request with the jar's cookies; no redirects. */
  async send(url: string, { method = 'GET', headers = {}, body }: SendOptions = {}): Promise<Page> {
    const { hostname } = new URL(url);
    const cookie = [...this.cookies(url)].map(([name, value]) => `${name}=${value}`).join('; ');
    const page = await send(url, method, { ...headers, ...(cookie === '' ? {} : { cookie }) }, body);
    for (const line of [page.headers['set-cookie'] ?? []].flat()) this.#keep(hostname, line);
    return page;
  }

  async #follow(url: string, options: SendOptions): Promise<Page> {
    let page = await this.send(url, options);
    for (let hops = 0; hops < MAX_REDIRECTS; hops += 1) {
      const { location } = page.headers;
      if (typeof location !== 'string' || page.status < 300 || page.status > 399) return page;
      page = await this.send(new URL(location, page.url).href, { headers: NAVIGATION });
    }
    throw new Error('too many redirects');
  }

  #keep(hostname: string, line: string): void {
    const [pair = '', ...attributes] = line.split(';').map((part) => part.trim());
    const name = pair.slice(0, pair.indexOf('='));
    const jar = this.#jars.get(hostname) ?? new Map<string, string>();
    this.#jars.set(hostname, jar);
    if (attributes.some((attribute) => /^max-age=0$/i.test(attribute))) jar.delete(name);
    else jar.set(name, pair.slice(name.length + 1));
  }
}

const NAVIGATION = {
  accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
  'sec-fetch-site': 'cross-site',
  'sec-fetch-mode': 'navigate',
  'sec-fetch-dest': 'document',
};

function send(
  url: string,
  method: string,
  headers: Readonly<Record<string, string>>,
  body: string | undefined,
): Promise<Page> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { method, headers, agent: false }, (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.on('error', reject);
      incoming.on('end', () =>
        resolve({
          status: incoming.statusCode ?? 0,
          url,
          headers: incoming.headers,
          body: Buffer.concat(chunks).toString('utf8'),
        }),
      );
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}
