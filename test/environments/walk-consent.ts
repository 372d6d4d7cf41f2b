import { request } from 'node:http';
import { onTestFinished } from 'vitest';
import { Agent } from '../../src/demo/agent.ts';
import { CLIENT_ID, type Surroundings } from '../support/built-service.ts';

export interface WalkedConsent {
  /** The answer to the POST of the user token. */
  readonly posted: Readonly<Record<string, unknown>>;
  /** The line that set the cookie. */
  readonly cookie: string;
  readonly page: Answer;
  /** Whose vault the resource's token lies in. */
  readonly boundFor: string | undefined;
}

interface Answer {
  readonly status: number | undefined;
  readonly body: string;
  readonly setCookie: string;
}

/**
 * One consent from the POST of the user token to the page at the end, by way of the public URL: requests come as a
 * proxy sends them that ends TLS and takes the path prefix off.
 */
export async function walkConsent(
  { issuer, agentcore, port }: Surroundings,
  publicUrl: string,
): Promise<WalkedConsent> {
  const returnUrl = `${publicUrl}/oauth2/callback`;
  agentcore.returnUrls.add(returnUrl);
  const agent = new Agent({ endpoint: agentcore.endpoint, returnUrl });
  onTestFinished(() => agent.close());
  const subject = 'sub-of-alice';
  const userToken = await issuer.accessToken({ subject, username: 'alice', clientId: CLIENT_ID });
  const flow = await agent.open(userToken);

  const { origin, pathname } = new URL(publicUrl);
  const send = (url: string, headers: Readonly<Record<string, string>>, body?: object) =>
    sendTo(
      port,
      url.slice(origin.length + (pathname === '/' ? 0 : pathname.length)),
      {
        ...headers,
        host: new URL(url).host,
      },
      body,
    );
  const posted = await send(
    `${publicUrl}/userIdentifier/token`,
    { origin, 'sec-fetch-site': 'same-origin', 'content-type': 'application/json' },
    { user_token: userToken, authorization_url: flow.authorizationUrl },
  );
  const consent = await fetch(flow.authorizationUrl, {
    method: 'POST',
    redirect: 'manual',
    body: new URLSearchParams({ decision: 'allow' }),
  });
  const page = await send(consent.headers.get('location') ?? '', {
    cookie: posted.setCookie.split(';')[0] ?? '',
    accept: 'text/html',
    'sec-fetch-site': 'cross-site',
    'sec-fetch-mode': 'navigate',
    'sec-fetch-dest': 'document',
  });
  const owner = agentcore.vaultOwnerOf(flow.sessionUri);
  return {
    posted: JSON.parse(posted.body) as Readonly<Record<string, unknown>>,
    cookie: posted.setCookie,
    page,
    boundFor: owner?.kind === 'jwt' ? owner.subject : owner?.userId,
  };
}

function sendTo(
  port: number,
  path: string,
  headers: Readonly<Record<string, string>>,
  body: object | undefined,
): Promise<Answer> {
  const text = body === undefined ? undefined : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, path, headers, method: text === undefined ? 'GET' : 'POST' };
    request({ ...options, agent: false }, (response) => {
      let received = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (received += chunk));
      response.on('end', () =>
        resolve({
          status: response.statusCode,
          body: received,
          setCookie: response.headers['set-cookie']?.[0] ?? '',
        }),
      );
    })
      .on('error', reject)
      .end(text);
  });
}
