import { generateKeyPairSync } from 'node:crypto';
import { expect, it, onTestFinished } from 'vitest';
import { Secret } from '../../src/binding/secret.ts';
import { Browser, type Page } from '../../src/demo/browser.ts';
import { systemClock } from '../../src/system.ts';
import { createMetrics } from '../../src/telemetry/metrics.ts';
import { Canaries, expectNoneIn, expectSilentLog } from '../support/canaries.ts';
import { cookieHeader, pinnedFlow } from '../support/flows.ts';
import {
  type IdentityChanges,
  type LoadBalancer,
  pemOf,
  startLoadBalancer,
} from '../support/load-balancer.ts';
import { startWorld } from '../support/world.ts';

const SESSION_SECRET = 'canary-session-secret-behind-a-load-balancer-012';
const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' });

/** How a header comes, and what the endpoint of the keys says while it does. */
const VISITS: readonly {
  readonly changes?: IdentityChanges;
  readonly spoil?: (header: string) => string;
  readonly answer?: (told: string) => LoadBalancer['answer'];
}[] = [
  {},
  { changes: { key: stranger.privateKey } },
  { changes: { header: { kid: 'canary-kid-that-nobody-holds' } } },
  { changes: { header: { kid: '../canary/kid?x=eyJhbGciOiJub25lIn0' } } },
  { changes: { header: { kid: 'canary-kid-of-a-stranger' } } },
  { changes: { header: { signer: 'arn:canary', client: 'canary-client' } } },
  { changes: { header: { client: 'canary-client' } } },
  { changes: { header: { iss: 'https://canary.example' } } },
  { changes: { header: { alg: 'canary-algorithm' } } },
  { changes: { header: { exp: 1 } } },
  { spoil: (header) => `${header}, ${header}` },
  { spoil: (header) => header.slice(0, -30) },
  { spoil: (header) => header.replaceAll('.', ' ') },
  {
    changes: { header: { kid: 'canary-kid-1' } },
    answer: (told) => (_request, response) => void response.writeHead(200).end(told),
  },
  {
    changes: { header: { kid: 'canary-kid-2' } },
    answer: (told) => (_request, response) =>
      void response.writeHead(200).end(`-----BEGIN PUBLIC KEY-----\n${told}\n-----END PUBLIC KEY-----`),
  },
  {
    changes: { header: { kid: 'canary-kid-3' } },
    answer: () => (request, response) => void response.writeHead(302, { location: request.url }).end(),
  },
  {
    changes: { header: { kid: 'canary-kid-4' } },
    answer: () => (request) => void request.socket.destroy(),
  },
];

it('what a load balancer says of a user is in no line, metric or answer, be it true or not [SB-16] [SB-20]', async () => {
  const loadBalancer = await startLoadBalancer();
  onTestFinished(() => loadBalancer.close());
  loadBalancer.published.set('canary-kid-of-a-stranger', pemOf(stranger.publicKey));
  const metrics = createMetrics(systemClock);
  const world = await startWorld({
    config: { ...loadBalancer.config, sessionSecrets: [new Secret(SESSION_SECRET)] },
    metrics,
  });
  const canaries = new Canaries();
  const pages: Page[] = [];
  canaries.add('SESSION_SECRET', SESSION_SECRET);

  for (const [index, { changes, spoil = (text: string) => text, answer }] of VISITS.entries()) {
    const name = `canary-user-${index}`;
    const { browser, url, sessionUri, token } = await pinnedFlow(world, name);
    const claims = { sub: `sub-of-${name}`, username: name, email: `${name}@canary.example` };
    const header = loadBalancer.identityOf(world.issuer.issuer, claims, changes);
    loadBalancer.answer = answer?.(`${header} ${token}`);
    const headers = {
      accept: index % 2 === 0 ? 'text/html' : 'application/json',
      'x-amzn-oidc-data': spoil(header),
      'x-amzn-oidc-accesstoken': `canary-access-token-${index}`,
      'x-amzn-oidc-identity': `sub-of-${name}`,
    };
    const own = new Browser();
    pages.push(
      await own.send(`${world.url}/sign-in`, { headers }),
      await own.send(url, { headers }),
      await own.send(url, { headers: { ...headers, cookie: cookieHeader(browser, url) } }),
      await own.send(`${world.url}/oauth2/start?flow=${header}`, { headers }),
    );
    loadBalancer.answer = undefined;
    canaries.addAll({
      [`user token ${index}`]: token,
      [`flow ${index}`]: sessionUri,
      [`header ${index}`]: header,
      [`access token ${index}`]: `canary-access-token-${index}`,
      [`address ${index}`]: claims.email,
      ...Object.fromEntries([...own.cookies(url)].map(([key, value]) => [`${key} ${index}`, value])),
    });
  }

  const refused = world.log().filter(({ event }) => event === 'load_balancer_identity');
  expect(new Set(refused.map(({ reason }) => reason)).size).toBeGreaterThan(8);
  expect(world.log().filter(({ by }) => by === 'load_balancer').length).toBeGreaterThan(0);
  for (const text of [world.rawLog(), await metrics.render()]) expectSilentLog(text, canaries);
  expectNoneIn(pages, canaries);
});
