import { createServer } from 'node:http';
import { createBrand, PLAIN_BRAND } from '../dist/pages/brand.js';
import { renderGoingOnPage } from '../dist/pages/going-on-page.js';
import { chooseWords } from '../dist/pages/languages.js';
import { pageCsp } from '../dist/pages/layout.js';
import { renderOutcomePage as renderOutcome } from '../dist/pages/outcome-page.js';
import { OUTCOMES } from '../dist/pages/outcomes.js';
import * as signInPages from '../dist/pages/sign-in-page.js';

const requestId = 'Zk3vQ8mT1aXw5rYb';
const signOut = { action: 'sign-out', csrfToken: 'x' };
const ALICE = { id: 'a', username: 'alice', subject: 'a1b2' };
const BOB = { id: 'b', username: 'bob', subject: 'c3d4' };
const TWIN = { id: 'c', username: 'alice', subject: 'e5f6' };
const form = { action: 'sign-in', csrfToken: 'x', carried: [], sendsChoice: true };

const LOGO =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 40"><rect width="40" height="40" rx="10" fill="#d9480f"/><path d="M12 28 20 11l8 17h-5l-3-7-3 7z" fill="#fff"/></svg>';

const BRANDED = createBrand({
  name: 'Acme Agents',
  logoUrl: `data:image/svg+xml;base64,${Buffer.from(LOGO).toString('base64')}`,
  accent: '#d9480f',
});

/** Every page in every state, by a name for its picture. */
export function pageStates({ language = 'en', branded = false } = {}) {
  const brand = branded ? BRANDED : PLAIN_BRAND;
  const manner = { brand, words: chooseWords(language) };
  const renderOutcomePage = (code, facts) => renderOutcome(code, facts, manner);
  const renderSignInPage = (facts) => signInPages.renderSignInPage(facts, manner);
  const renderSignedInPage = (facts) => signInPages.renderSignedInPage(facts, manner);
  const renderSignedOutPage = (what, issuerUrl) => signInPages.renderSignedOutPage(what, issuerUrl, manner);
  const states = new Map();
  const add = (name, page, forms = 'no_forms') => states.set(name, { page, forms, brand });
  for (const code of Object.keys(OUTCOMES)) add(code, renderOutcomePage(code, { requestId }));

  const known = { requestId, username: 'alice', switchUserUrl: '../sign-in' };
  add('completed-known', renderOutcomePage('completed', { ...known, signOut }), 'own_forms');
  add('completed-already', renderOutcomePage('completed', { ...known, alreadyConnected: true }));
  add(
    'long-name',
    renderOutcomePage('completed', { requestId, username: 'Wolfeschlegelsteinhausen'.repeat(4) }),
  );
  add('consent_denied-known', renderOutcomePage('consent_denied', known));
  const label = 'GitHub for the sales agent';
  const backUrl = 'https://app.example.com/?binding=completed';
  add(
    'completed-labelled',
    renderOutcomePage('completed', { ...known, label, backUrl, signOut }),
    'own_forms',
  );
  add('browser_mismatch-back', renderOutcomePage('browser_mismatch', { ...known, label, backUrl }));
  const wayOn = { href: '../login', says: 'signIn' };
  add('not_signed_in-login', renderOutcomePage('not_signed_in', { requestId, wayOn, backUrl }));
  const detail = 'The link carries session_id more than once.';
  add('invalid_request-detail', renderOutcomePage('invalid_request', { requestId, detail }));

  const signIn = (facts) => renderSignInPage({ requestId, continuesFlow: false, people: [], form, ...facts });
  add('sign-in-nobody', signIn({}), 'own_forms');
  add('sign-in-one', signIn({ people: [ALICE] }), 'own_forms');
  add('sign-in-several', signIn({ people: [ALICE, BOB, TWIN] }), 'own_forms');
  add('sign-in-flow', signIn({ people: [ALICE], continuesFlow: true }), 'own_forms');
  const notice = 'csrf';
  add('sign-in-notice', signIn({ people: [ALICE], notice }), 'own_forms');
  const signedIn = { requestId, who: ALICE, signOut, others: [], form };
  add('signed-in', renderSignedInPage(signedIn), 'own_forms');
  add('signed-in-others', renderSignedInPage({ ...signedIn, others: [BOB] }), 'own_forms');
  for (const what of ['nobody', 'signed_out', 'tokens_forgotten'])
    add(`signed-out-${what}`, renderSignedOutPage(what));
  add('signed-out-issuer', renderSignedOutPage('signed_out', 'https://idp.example.com/logout'));
  add('going-on', renderGoingOnPage('oauth2/start?flow=x', manner));
  return states;
}

/** Serves them on loopback with the headers of the real ones, at `/LANGUAGE/plain/STATE` and `/LANGUAGE/branded/STATE`. */
export async function servePageStates() {
  const states = new Map();
  for (const language of ['en', 'ja']) {
    for (const branded of [false, true]) {
      const folder = `/${language}/${branded ? 'branded' : 'plain'}/`;
      for (const [name, state] of pageStates({ language, branded })) states.set(folder + name, state);
    }
  }
  const server = createServer((request, response) => {
    const state = states.get(request.url);
    if (state === undefined) return response.writeHead(404).end();
    const { page, forms, brand } = state;
    response.writeHead(200, {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': pageCsp({ formsLeadTo: forms === 'own_forms' ? [] : undefined }, brand),
    });
    // A page that leads on would be gone before anybody has looked at it.
    return response.end(page.toString().replace(/<meta http-equiv="refresh"[^>]*>/, ''));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    origin: `http://127.0.0.1:${server.address().port}`,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}
