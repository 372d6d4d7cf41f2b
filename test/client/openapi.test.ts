import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createSessionBindingClient } from '../../src/client/session-binding-client.ts';

// The client ships without the service, and with types of its own: here they are held to the committed document.

interface ObjectSchema {
  readonly required: readonly string[];
  readonly properties: Readonly<
    Record<string, { readonly type?: string; readonly enum?: readonly string[] }>
  >;
}
type Content = Readonly<Record<'application/json', { readonly schema: ObjectSchema }>>;
interface Operation {
  readonly requestBody: { readonly content: Content };
  readonly responses: Readonly<Record<string, { readonly content: Content }>>;
}
type Paths = Readonly<Record<string, Readonly<Record<string, Operation>>>>;

const document = new URL('../../docs/openapi.json', import.meta.url);
const { paths } = JSON.parse(readFileSync(document, 'utf8')) as { readonly paths: Paths };

function schemasOf(path: string, method: string) {
  const operation = paths[path]?.[method];
  if (operation === undefined) throw new Error(`${method} ${path} is not described`);
  const body = (content?: Content) =>
    content?.['application/json'].schema ?? { required: [], properties: {} };
  return { request: body(operation.requestBody?.content), answer: body(operation.responses['200']?.content) };
}

const ANSWER: Readonly<Record<string, unknown>> = {
  status: 'success',
  user: { subject: 'sub-1', username: 'alice' },
  expires_at: '2026-01-01T00:00:00.000Z',
  callback_url: 'https://binding.example/oauth2/callback',
  custom_state: 'sb1.sealed',
  start_url: 'https://binding.example/oauth2/start?flow=sealed',
  sign_in_url: 'https://binding.example/sign-in?code=once',
};

/** A service that answers everything with this, and what it was asked. */
function answering(body: object) {
  const asked: { readonly method: string; readonly path: string; readonly body: object }[] = [];
  const client = createSessionBindingClient({
    baseUrl: 'https://binding.example',
    async fetch(input, init) {
      const { pathname } = new URL(input instanceof Request ? input.url : input);
      const sent = typeof init?.body === 'string' ? (JSON.parse(init.body) as object) : {};
      asked.push({ method: init?.method?.toLowerCase() ?? 'get', path: pathname, body: sent });
      return Response.json(body);
    },
  });
  return { client, asked };
}

const REQUEST = {
  userToken: 'e30.e30.x',
  authorizationUrl:
    'https://bedrock-agentcore.eu-central-1.amazonaws.com/identities/oauth2/authorize?request_uri=x',
  sessionUri: 'x',
  returnTo: 'https://app.example/done',
  label: 'GitHub',
};

describe('the client keeps to docs/openapi.json', () => {
  const { request, answer } = schemasOf('/userIdentifier/token', 'post');

  it('in what it sends: all that is described, and nothing else', async () => {
    const { client, asked } = answering(ANSWER);
    await client.storeUserToken(REQUEST);
    expect(asked).toMatchObject([{ method: 'post', path: '/userIdentifier/token' }]);
    expect(new Set(Object.keys(asked[0]?.body ?? {}))).toEqual(new Set(Object.keys(request.properties)));
  });

  it('in what it reads: nothing of a whole answer is lost', async () => {
    expect(new Set(Object.keys(ANSWER))).toEqual(new Set(Object.keys(answer.properties)));
    const { client } = answering(ANSWER);
    await expect(client.storeUserToken(REQUEST)).resolves.toEqual({
      user: ANSWER['user'],
      expiresAt: new Date('2026-01-01T00:00:00.000Z'),
      callbackUrl: ANSWER['callback_url'],
      customState: ANSWER['custom_state'],
      startUrl: ANSWER['start_url'],
      signInUrl: ANSWER['sign_in_url'],
    });
  });

  it('in what it needs: what the document requires, but for the status line’s own echo', async () => {
    const { userToken } = REQUEST;
    const least = Object.fromEntries(answer.required.map((name) => [name, ANSWER[name]]));
    await expect(answering(least).client.storeUserToken({ userToken })).resolves.toMatchObject({
      startUrl: undefined,
      signInUrl: undefined,
    });
    for (const name of answer.required.filter((required) => required !== 'status')) {
      const { client } = answering({ ...least, [name]: undefined });
      await expect(client.storeUserToken({ userToken }), name).rejects.toMatchObject({
        code: 'unexpected_answer',
      });
    }
  });

  const { properties } = schemasOf('/authorizations/{session_uri}', 'get').answer;
  const endings = (properties['status']?.enum ?? []).filter((status) => status !== 'pending');

  it.each(endings)('in how a flow ends: %s', async (status) => {
    const { client, asked } = answering({ status });
    const end = client.waitForAuthorization({ userToken: 'e30.e30.x', sessionUri: 'urn:x' });
    if (status === 'completed') await expect(end).resolves.toBeUndefined();
    else await expect(end).rejects.not.toMatchObject({ code: 'unexpected_answer' });
    expect(asked).toMatchObject([{ method: 'get', path: '/authorizations/urn%3Ax' }]);
  });
});
