import { describe, expect, it } from 'vitest';
import { Browser } from '../../src/demo/browser.ts';
import { readForm } from '../support/forms.ts';
import { programPosts, post, startSingleUser } from './single-user.ts';

const PUBLIC_URL = 'https://studio.example.com/jupyterlab/default/proxy/9090';

/** The proxy ends TLS and takes its prefix off: the service sees plain http and bare paths. */
describe('behind a proxy with https and a path prefix', () => {
  it('cookies are __Host- ones, forms and redirects relative, and the origin is the public one', async () => {
    const world = await startSingleUser({ config: { publicUrl: PUBLIC_URL } });
    const answer = await programPosts(world, await world.tokenOf('alice'));
    expect(answer.sign_in_url).toMatch(`${PUBLIC_URL}/sign-in?code=`);

    const person = new Browser();
    const callback = '/oauth2/callback?session_id=urn:ietf:params:oauth:request_uri:a';
    const page = await person.open(world.url + callback);
    expect(page.headers['set-cookie']).toEqual([
      expect.stringMatching(
        /^__Host-session-binding-[0-9a-f]{8}-form=[\w-]{32}; Max-Age=3600; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
      ),
    ]);
    expect(page.body).toContain('action="../sign-in"');
    expect(page.body).not.toContain('localhost');
    expect(page.body).not.toContain('studio.example.com');

    const { fields } = readForm(page, 'Continue as alice');
    const url = `${world.url}/sign-in`;
    expect((await post(person, url, fields)).status).toBe(403);
    const clicked = await post(person, url, fields, { origin: new URL(PUBLIC_URL).origin });
    const location = String(clicked.headers.location);
    expect(clicked.status).toBe(303);
    expect(new URL(location, `${PUBLIC_URL}/sign-in`).href).toBe(
      `${PUBLIC_URL}/oauth2/callback?session_id=urn%3Aietf%3Aparams%3Aoauth%3Arequest_uri%3Aa`,
    );
    const names = [...person.cookies(world.url).keys()];
    expect(names).toEqual([expect.stringMatching(/^__Host-session-binding-[0-9a-f]{8}$/)]);
  });
});
