import { renderOutcomePage } from '../dist/pages/outcome-page.js';
import { OUTCOMES } from '../dist/pages/outcomes.js';
import { renderSignedInPage, renderSignedOutPage, renderSignInPage } from '../dist/pages/sign-in-page.js';

const requestId = 'Zk3vQ8mT1aXw5rYb';
const signOut = { action: 'sign-out', csrfToken: 'x' };
const ALICE = { id: 'a', username: 'alice', subject: 'a1b2' };
const BOB = { id: 'b', username: 'bob', subject: 'c3d4' };
const TWIN = { id: 'c', username: 'alice', subject: 'e5f6' };
const form = { action: 'sign-in', csrfToken: 'x', carried: [], sendsChoice: true };

/** Every page in every state, by a name for its picture. */
export function pageStates() {
  const states = new Map();
  const add = (name, page, forms = 'no_forms') => states.set(name, { page, forms });
  for (const code of Object.keys(OUTCOMES)) add(code, renderOutcomePage(code, { requestId }));

  const known = { requestId, username: 'alice', switchUserUrl: '../sign-in' };
  add('completed-known', renderOutcomePage('completed', { ...known, signOut }), 'own_forms');
  add('completed-already', renderOutcomePage('completed', { ...known, alreadyConnected: true }));
  add(
    'long-name',
    renderOutcomePage('completed', { requestId, username: 'Wolfeschlegelsteinhausen'.repeat(4) }),
  );
  add('consent_denied-known', renderOutcomePage('consent_denied', known));
  const detail = 'The link carries session_id more than once.';
  add('invalid_request-detail', renderOutcomePage('invalid_request', { requestId, detail }));

  const signIn = (facts) => renderSignInPage({ requestId, continuesFlow: false, people: [], form, ...facts });
  add('sign-in-nobody', signIn({}), 'own_forms');
  add('sign-in-one', signIn({ people: [ALICE] }), 'own_forms');
  add('sign-in-several', signIn({ people: [ALICE, BOB, TWIN] }), 'own_forms');
  add('sign-in-flow', signIn({ people: [ALICE], continuesFlow: true }), 'own_forms');
  const notice = 'That click came from an old page or from another browser. Please click again.';
  add('sign-in-notice', signIn({ people: [ALICE], notice }), 'own_forms');
  const signedIn = { requestId, who: ALICE, signOut, others: [], form };
  add('signed-in', renderSignedInPage(signedIn), 'own_forms');
  add('signed-in-others', renderSignedInPage({ ...signedIn, others: [BOB] }), 'own_forms');
  for (const what of ['nobody', 'signed_out', 'tokens_forgotten'])
    add(`signed-out-${what}`, renderSignedOutPage(what));
  return states;
}
