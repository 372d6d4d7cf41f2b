import type { Issuer } from '../../src/emulator/issuer.ts';

export const POOL = 'https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Emulator';

/**
 * Puts the emulated issuer under the names of Cognito user pools: requests for any pool reach the emulator's socket,
 * and its documents speak in that pool's name. `asked` collects every URL; one of another host is a failure.
 */
export function createCognitoFetch(issuer: Issuer, asked: string[] = []): typeof globalThis.fetch {
  return async (input, init) => {
    const url = input instanceof Request ? input.url : String(input);
    asked.push(url);
    const [, pool, path] = /^(https:\/\/cognito-idp\.[^/]+\/[^/]+)(\/.*)$/.exec(url) ?? [];
    if (pool === undefined || path === undefined) throw new TypeError(`nothing answers at ${url}`);
    const response = await fetch(issuer.issuer + path, init);
    if (response.status !== 200) return response;
    const body = (await response.text()).replaceAll(issuer.issuer, pool);
    return new Response(body, { headers: { 'content-type': 'application/json' } });
  };
}
