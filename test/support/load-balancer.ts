import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Config } from '../../src/env/config.ts';
import { freePort } from './free-port.ts';

const ALB_ARN = 'arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/front/50dc6c495c0c9188';
const ALB_CLIENT = 'client-of-the-load-balancer';

/** An application load balancer: it signs users in, says who they are in a header, and publishes its keys. */
export interface LoadBalancer {
  /** What the service is told, behind the proxy that every test is. */
  readonly config: Pick<Config, 'loadBalancer' | 'trustedProxies'>;
  readonly kid: string;
  /** Paths of the requests for keys, in order. */
  readonly requests: readonly string[];
  /** Answers the next requests for keys instead. */
  answer: ((request: IncomingMessage, response: ServerResponse) => void) | undefined;
  /** Published at these names; private keys only to see them refused. */
  readonly published: Map<string, string>;
  /** The value of `x-amzn-oidc-data` for a user of this issuer. */
  identityOf(issuer: string, claims: Readonly<Record<string, unknown>>, changes?: IdentityChanges): string;
  close(): Promise<void>;
}

export interface IdentityChanges {
  /** Further or other members of the JOSE header; undefined leaves one out. */
  readonly header?: Readonly<Record<string, unknown>>;
  /** Signs instead of the load balancer's own key. */
  readonly key?: KeyObject;
  /** Without padding, as RFC 7515 has it. */
  readonly unpadded?: boolean;
}

/** Real keys, real signatures, keys over real HTTP. */
export async function startLoadBalancer(): Promise<LoadBalancer> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const kid = '0a1b2c3d-5e6f-4a4b-8c8d-1234567890ab';
  const requests: string[] = [];
  const published = new Map([[kid, pemOf(publicKey)]]);

  const server = createServer((request, response) => {
    const { url = '' } = request;
    requests.push(url);
    if (loadBalancer.answer !== undefined) return loadBalancer.answer(request, response);
    const pem = published.get(url.slice('/keys/'.length));
    if (pem === undefined)
      return void response.writeHead(403).end('<Error><Code>AccessDenied</Code></Error>');
    response.writeHead(200, { 'content-type': 'binary/octet-stream' }).end(pem);
  });
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));

  const loadBalancer: LoadBalancer = {
    config: {
      loadBalancer: {
        arn: ALB_ARN,
        clientId: ALB_CLIENT,
        publicKeysUrl: `http://127.0.0.1:${port}/keys`,
      },
      trustedProxies: ['127.0.0.1'],
    },
    kid,
    requests,
    answer: undefined,
    published,
    identityOf(issuer, claims, { header = {}, key = privateKey, unpadded = false } = {}) {
      const jose = {
        typ: 'JWT',
        kid,
        alg: 'ES256',
        iss: issuer,
        client: ALB_CLIENT,
        signer: ALB_ARN,
        exp: Math.floor(Date.now() / 1000) + 120,
        ...header,
      };
      const encode = (bytes: Buffer) => {
        const text = bytes.toString('base64url');
        return unpadded ? text : text.padEnd(Math.ceil(text.length / 4) * 4, '=');
      };
      const signedText = [jose, claims].map((part) => encode(Buffer.from(JSON.stringify(part)))).join('.');
      const signature = sign('sha256', Buffer.from(signedText), { key, dsaEncoding: 'ieee-p1363' });
      return `${signedText}.${encode(signature)}`;
    },
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
  return loadBalancer;
}

export function pemOf(key: KeyObject): string {
  return key.export({ type: 'spki', format: 'pem' }).toString();
}
