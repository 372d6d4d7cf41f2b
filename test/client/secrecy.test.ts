import { describe, expect, it } from 'vitest';
import { createSessionBindingClient } from '../../src/client/client.ts';
import { everythingIn } from '../support/canaries.ts';
import { spellingsOf } from '../support/server-content.ts';
import {
  AUTHORIZATION_URL,
  html,
  problem,
  type Reply,
  reset,
  SESSION_URI,
  startScriptedService,
  USER_TOKEN,
} from './scripted-service.ts';

const SECRETS = [USER_TOKEN, SESSION_URI, AUTHORIZATION_URL, 'sb1.sealed-canary'];

function errorsOf(...calls: readonly Promise<unknown>[]): Promise<readonly unknown[]> {
  return Promise.all(
    calls.map((call) =>
      call.then(
        () => 'it did not fail',
        (error: unknown) => error,
      ),
    ),
  );
}

function expectNoSecret(error: unknown): void {
  const everything = everythingIn(error);
  expect(everything).toContain('session binding: ');
  for (const secret of SECRETS) {
    for (const spelling of spellingsOf(secret)) expect(everything).not.toContain(spelling);
  }
}

/** Servers that say back what they were told, as proxies and their error pages do. */
const ECHOES: readonly (readonly [string, Reply])[] = [
  ['in a problem', echoing((said) => problem(403, 'user_mismatch', { 'x-echo': said.slice(0, 50) }))],
  ['as a code', echoing((said) => problem(400, said))],
  [
    'as a request id',
    echoing((said) => problem(403, 'user_mismatch', { 'x-request-id': said.slice(0, 500) })),
  ],
  ['in a status', (response) => void response.writeHead(418, USER_TOKEN).end()],
  ['in a redirect', (response) => void response.writeHead(302, { location: `/?t=${USER_TOKEN}` }).end()],
  [
    'on a page',
    (response, { body, headers }) =>
      void response
        .writeHead(200, { 'content-type': 'text/html' })
        .end(`${body}${headers.authorization ?? ''}`),
  ],
  [
    'as a problem of its own',
    (response, { body, headers }) =>
      void response
        .writeHead(400, { 'content-type': 'application/problem+json' })
        .end(JSON.stringify({ code: 'invalid_request', title: body, detail: headers.authorization ?? body })),
  ],
  [
    'as half an answer',
    (response) => void response.writeHead(200).end(`{"custom_state":"sb1.sealed-canary"`),
  ],
  ['as an outage', html(503)],
  ['by hanging up', reset],
];

function echoing(reply: (said: string) => Reply): Reply {
  return (response, arrived) => reply(arrived.headers.authorization ?? arrived.body)(response, arrived);
}

describe('an error', () => {
  it.each(ECHOES)('carries no secret that a server says back %s [SB-16]', async (_where, reply) => {
    const service = await startScriptedService(reply);
    const limits = { userToken: USER_TOKEN, timeoutMs: 150 };
    const client = service.client();
    const errors = await errorsOf(
      client.storeUserToken({ ...limits, authorizationUrl: AUTHORIZATION_URL }),
      client.waitForAuthorization({ ...limits, sessionUri: SESSION_URI }),
    );
    for (const error of errors) expectNoSecret(error);
  });

  it.each([`${USER_TOKEN}\n`, `${USER_TOKEN}\r\nx: y`, `${USER_TOKEN} `, `${USER_TOKEN}✓`, ''])(
    'quotes no user token that fits no header (%j) [SB-16]',
    async (userToken) => {
      const service = await startScriptedService(html(200));
      const client = service.client();
      const errors = await errorsOf(
        client.storeUserToken({ userToken }),
        client.waitForAuthorization({ userToken, sessionUri: SESSION_URI }),
      );
      for (const error of errors) {
        expect(error).toMatchObject({ code: 'invalid_token' });
        expectNoSecret(error);
      }
      expect(service.arrived).toEqual([]);
    },
  );

  it('passes on nothing that a fetch of somebody else throws [SB-16]', async () => {
    const client = createSessionBindingClient({
      fetch: (_url, init) => Promise.reject(new Error(`could not send ${JSON.stringify(init)}`)),
    });
    const [error] = await errorsOf(client.storeUserToken({ userToken: USER_TOKEN, timeoutMs: 150 }));
    expect(error).toMatchObject({ code: 'unreachable' });
    expectNoSecret(error);
  });

  it('quotes no base URL, which may hold a password [SB-16]', () => {
    const baseUrl = 'https://user:a-password-canary@binding.example';
    let thrown: unknown;
    try {
      createSessionBindingClient({ baseUrl });
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(TypeError);
    expect(everythingIn(thrown)).not.toContain('a-password-canary');
  });
});
