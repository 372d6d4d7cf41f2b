import { randomBytes } from 'node:crypto';

export const CLIENT_ID = 'bench';

/** What Chromium sends when AgentCore redirects it. */
const BROWSER_HEADERS = [
  'Upgrade-Insecure-Requests: 1',
  'User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36',
  'Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8',
  'Sec-Fetch-Site: cross-site',
  'Sec-Fetch-Mode: navigate',
  'Sec-Fetch-User: ?1',
  'Sec-Fetch-Dest: document',
  'Accept-Encoding: gzip, deflate, br',
  'Accept-Language: en-GB,en;q=0.9',
].join('\r\n');

/**
 * User tokens of different people, 1.2 kB each as Cognito's are.
 * @param {import('../dist/emulator/issuer.js').Issuer} issuer
 */
export function issueUserTokens(issuer, count) {
  return Promise.all(
    Array.from({ length: count }, (_, index) =>
      issuer.accessToken({
        subject: `${String(index).padStart(8, '0')}-2222-4333-8444-555555555555`,
        username: `user-${index}`,
        clientId: CLIENT_ID,
        claims: { 'cognito:groups': ['a'.repeat(140)] },
      }),
    ),
  );
}

/** Their cookies, after each has posted his token from his own browser. */
export async function signIn(port, userTokens) {
  const cookies = [];
  for (const userToken of userTokens) {
    const response = await postUserToken(port, userToken);
    if (!response.ok) throw new Error(`POST answered ${response.status}: ${await response.text()}`);
    await response.text();
    cookies.push(
      response.headers
        .getSetCookie()
        .map((line) => line.split(';', 1)[0])
        .join('; '),
    );
  }
  return cookies;
}

/** A service that has just started may not hold the issuer's keys yet. */
async function postUserToken(port, userToken) {
  for (let tries = 1; ; tries += 1) {
    const response = await fetch(`http://localhost:${port}/userIdentifier/token`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: `http://localhost:${port}` },
      body: JSON.stringify({ user_token: userToken }),
    });
    if (response.status !== 503 || tries === 100) return response;
    await response.text();
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** A callback of the next person, for a flow that nobody has finished: the text of a request. */
export function callbacksOf(port, cookies, suffix = '') {
  let next = 0;
  return () => {
    next = (next + 1) % cookies.length;
    const id = randomBytes(24).toString('base64url') + suffix;
    return `GET /oauth2/callback?session_id=urn%3Aietf%3Aparams%3Aoauth%3Arequest_uri%3A${id} HTTP/1.1\r\nHost: localhost:${port}\r\n${BROWSER_HEADERS}\r\nCookie: ${cookies[next]}\r\n\r\n`;
  };
}
