import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { callbackOf, unknownSessionId } from '../support/consent.ts';
import { cookieHeader, flowWithState, pinnedFlow } from '../support/flows.ts';
import { type LoadBalancer, startLoadBalancer } from '../support/load-balancer.ts';
import { type RawAnswer, sendRaw } from '../support/raw-http.ts';
import { startWorld, type World } from '../support/world.ts';

/** What M, who wants V's browser to bind for him, can put into a request of V's browser or of nobody's. */
interface Material {
  readonly userToken: string;
  readonly customState: string;
  readonly sessionUri: string;
  readonly identity: string;
}

const PARAMETERS = ['state', 'custom_state', 'customState', 'user', 'user_token', 'userId', 'user_id', 'sub'];
const HEADERS = [
  'Authorization',
  'X-Amzn-Oidc-Data',
  'X-Amzn-Oidc-Identity',
  'X-Amzn-Oidc-Accesstoken',
  'X-Forwarded-User',
  'X-Forwarded-Email',
  'X-Remote-User',
  'X-User-Id',
  'X-Amzn-Bedrock-AgentCore-Runtime-User-Id',
  'Remote-User',
  'Forwarded',
  'Cookie2',
];

const anything = fc.string({ maxLength: 20 }).map((text) => text.replaceAll(/[^\x21-\x7e]/g, 'x'));
/** A value of M's, as it is or dressed up, or anything at all. */
const value = fc.oneof(
  fc.constantFrom<(material: Material) => string>(
    ({ userToken }) => userToken,
    ({ userToken }) => `Bearer ${userToken}`,
    ({ customState }) => customState,
    ({ identity }) => identity,
    () => 'sub-of-mallory',
    () => 'mallory',
  ),
  anything.map((text) => () => text),
);
const attempt = fc.record({
  target: fc.constantFrom('unknown', 'theirs') satisfies fc.Arbitrary<'unknown' | 'theirs'>,
  parameters: fc.array(fc.tuple(fc.constantFrom(...PARAMETERS), value), { maxLength: 4 }),
  headers: fc.array(fc.tuple(fc.constantFrom(...HEADERS), value), { maxLength: 4 }),
  body: fc.option(value, { nil: undefined }),
});
type Attempt = typeof attempt extends fc.Arbitrary<infer T> ? T : never;

let loadBalancer: LoadBalancer;
beforeAll(async () => {
  loadBalancer = await startLoadBalancer();
});
afterAll(() => loadBalancer.close());

async function materialOf(world: World): Promise<Material> {
  const { token, sessionUri } = await pinnedFlow(world, 'mallory');
  const state = new URL((await flowWithState(world, 'mallory')).url).searchParams.get('state') ?? '';
  const identity = identityOf(world, 'mallory');
  return { userToken: token, customState: state, sessionUri, identity };
}

function identityOf(world: World, username: string): string {
  return loadBalancer.identityOf(world.issuer.issuer, { sub: `sub-of-${username}` });
}

/** Sends it with these further lines of the browser's, or of its load balancer's. */
async function send(
  world: World,
  material: Material,
  { target, parameters, headers, body }: Attempt,
  lines: readonly string[],
): Promise<RawAnswer> {
  const url = new URL(callbackOf(world.url, target === 'theirs' ? material.sessionUri : unknownSessionId()));
  for (const [name, make] of parameters) url.searchParams.append(name, make(material));
  const json = body === undefined ? '' : JSON.stringify({ user_token: body(material), user: body(material) });
  const all = [
    `Host: ${url.host}`,
    'Accept: application/json',
    ...lines,
    ...headers.map(([name, make]) => `${name}: ${make(material)}`),
    ...(json === '' ? [] : ['Content-Type: application/json', `Content-Length: ${Buffer.byteLength(json)}`]),
  ];
  return sendRaw(
    world.url,
    `GET ${url.pathname}${url.search} HTTP/1.1\r\n${all.join('\r\n')}\r\n\r\n${json}`,
  );
}

const MODES = [
  ['by its user token', {}],
  ['by its user id', { userIdentifier: 'id' }],
] as const;

describe.each(MODES)('where a flow is completed %s', (_, config) => {
  it('no query, header or body makes a stranger’s browser somebody: AgentCore is never called [SB-02]', async () => {
    const world = await startWorld({ config: { ...config, trustedProxies: ['127.0.0.1'] } });
    const material = await materialOf(world);
    await fc.assert(
      fc.asyncProperty(attempt, async (made) => {
        const answer = await send(world, material, made, []);
        expect([400, 401]).toContain(answer.status);
        expect(answer.headers['set-cookie']).toBeUndefined();
      }),
      { numRuns: 60 },
    );
    expect(world.agentcore.completeCalls).toBe(0);
  });

  it('a browser of V’s sends what is V’s, whatever else its request carries [SB-01] [SB-02]', async () => {
    const world = await startWorld({ config: { ...config, trustedProxies: ['127.0.0.1'] } });
    const material = await materialOf(world);
    const token = await world.tokenOf('victoria');
    const cookie = `Cookie: ${cookieHeader(await world.signedIn(token), world.url)}`;
    await fc.assert(
      fc.asyncProperty(attempt, (made) => send(world, material, made, [cookie]).then(() => undefined)),
      { numRuns: 60 },
    );
    const sent = world.agentcore.calls.map(({ userToken, userId }) => userToken ?? userId);
    expect(sent.length).toBeGreaterThan(10);
    expect(new Set(sent)).toEqual(new Set(['userIdentifier' in config ? 'sub-of-victoria' : token]));
    expect(world.agentcore.calls.map(({ sessionUri }) => sessionUri)).not.toContain(material.sessionUri);
  });
});

describe('where a load balancer signs users in', () => {
  it('its header alone decides, whatever else the request carries, a cookie too [SB-02] [SB-20]', async () => {
    const world = await startWorld({ config: loadBalancer.config });
    const material = await materialOf(world);
    const token = await world.tokenOf('victoria');
    await world.signedIn(token);
    const cookie = `Cookie: ${cookieHeader(await world.signedIn(material.userToken), world.url)}`;
    const identity = `X-Amzn-Oidc-Data: ${identityOf(world, 'victoria')}`;
    await fc.assert(
      fc.asyncProperty(attempt, fc.boolean(), async (made, isVouched) => {
        const others = made.headers.filter(([name]) => name !== 'X-Amzn-Oidc-Data');
        const lines = isVouched ? [identity, cookie] : [cookie];
        const answer = await send(world, material, { ...made, headers: others }, lines);
        if (!isVouched) expect([400, 401]).toContain(answer.status);
      }),
      { numRuns: 60 },
    );
    const sent = world.agentcore.calls.map(({ userToken }) => userToken);
    expect(sent.length).toBeGreaterThan(5);
    expect(new Set(sent)).toEqual(new Set([token]));
    expect(world.agentcore.calls.map(({ sessionUri }) => sessionUri)).not.toContain(material.sessionUri);
  });
});
