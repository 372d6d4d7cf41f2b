import { describe, expect, it } from 'vitest';
import { Browser } from '../../src/demo/browser.ts';
import { must } from '../agentcore/stand-in-flow.ts';
import { press } from '../support/forms.ts';
import {
  ask,
  complete,
  decide,
  openFlow,
  parametersOf,
  poll,
  requestToken,
  shareEmulatedWorld,
} from './emulated-world.ts';

const MINUTE = 60_000;

const world = shareEmulatedWorld();

describe('the consent of the emulated providers', () => {
  it('names the account, and lets the user take another', async () => {
    const flow = await openFlow(world());
    const browser = new Browser();
    const signIn = await browser.open(flow.authorizationUrl);
    const alices = await press(browser, signIn, 'Alice Liddell (alice)');
    expect(alices.body).toContain('Signed in as <strong>Alice Liddell (alice)</strong>');
    const chooser = await press(browser, alices, 'Use another account');
    const bobs = await press(browser, chooser, 'Bob Cratchit (bob)');
    expect(bobs.body).toContain('Signed in as <strong>Bob Cratchit (bob)</strong>');

    // The page of the first account is still open in another tab: what it shows is what is allowed.
    await press(browser, alices, 'Allow');
    await complete(world(), flow);
    const { accessToken } = await poll(world(), flow);
    const { origin } = world().emulator.github;
    expect(await ask(`${origin}/user`, accessToken)).toMatchObject({ body: { login: 'alice' } });
  });

  it('is good for what was asked for only', async () => {
    const { emulator } = world();
    const github = await openFlow(world(), 'alice', { scopes: ['read:user'] });
    await decide(github, 'Allow');
    await complete(world(), github);
    const search = `${emulator.github.origin}/search/repositories?q=user:alice`;
    expect(await ask(search, (await poll(world(), github)).accessToken)).toMatchObject({
      body: { total_count: 1 },
    });
    const drive = { resourceCredentialProviderName: 'google', scopes: ['openid'] };
    const google = await openFlow(world(), 'alice', drive);
    await decide(google, 'Allow');
    await complete(world(), google);
    const { accessToken } = await requestToken(world(), google.workloadAccessToken, drive);
    expect(await ask(`${emulator.google.origin}/drive/v3/files`, accessToken)).toMatchObject({ status: 403 });
  });

  it('sends nobody to an address that the application has not registered', async () => {
    const { origin } = world().emulator.github;
    const at = (query: Record<string, string>) =>
      fetch(`${origin}/login/oauth/authorize?${new URLSearchParams(query).toString()}`, {
        redirect: 'manual',
      });
    expect((await at({ client_id: 'nobody' })).status).toBe(400);
    const elsewhere = await at({ client_id: 'id-of-github', redirect_uri: 'https://evil.example' });
    expect(elsewhere.status).toBe(400);
  });

  it('gives no token for a wrong client secret, a used code, or a code of another application', async () => {
    const { emulator, returnUrl } = world();
    const app = { clientId: 'by-hand', clientSecret: 'right', redirectUris: [returnUrl] };
    emulator.github.addApp(app);
    emulator.github.addApp({ ...app, clientId: 'other' });
    const query = new URLSearchParams({
      client_id: app.clientId,
      redirect_uri: returnUrl,
      access_type: 'offline',
    });
    const newCode = async () => {
      const authorizationUrl = `${emulator.github.origin}/login/oauth/authorize?${query.toString()}`;
      return must(parametersOf(await decide({ authorizationUrl }, 'Allow'))['code']);
    };
    const redeem = async (code: string, more: Record<string, string> = {}) => {
      const body = new URLSearchParams({
        client_id: app.clientId,
        client_secret: 'right',
        redirect_uri: returnUrl,
        code,
        ...more,
      });
      const { tokenEndpoint } = emulator.github.metadata;
      const response = await fetch(tokenEndpoint, { method: 'POST', body });
      return (await response.json()) as Record<string, string>;
    };
    const code = await newCode();
    expect(await redeem(code, { client_secret: 'wrong' })).toEqual({ error: 'invalid_client' });
    const granted = await redeem(code);
    expect(granted).toMatchObject({ token_type: 'Bearer' });
    const { refresh_token } = granted;
    const refresh = { grant_type: 'refresh_token', refresh_token: must(refresh_token) };
    expect(await redeem('', { ...refresh, client_id: 'other' })).toEqual({ error: 'bad_verification_code' });
    expect(await redeem('', refresh)).toHaveProperty('access_token');
    expect(await redeem(code)).toEqual({ error: 'bad_verification_code' });
    expect(await redeem(await newCode(), { client_id: 'other' })).toEqual({ error: 'bad_verification_code' });
    const elsewhere = { redirect_uri: 'https://evil.example' };
    expect(await redeem(await newCode(), elsewhere)).toEqual({ error: 'bad_verification_code' });
    const late = await newCode();
    emulator.advance(10 * MINUTE);
    expect(await redeem(late)).toEqual({ error: 'bad_verification_code' });
  });
});
