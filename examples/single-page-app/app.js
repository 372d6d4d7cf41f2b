// A single-page app: signs its user in, asks the agent, and gets a consent where the agent needs one. No framework, no
// build. config.json says where everything is; this page's origin must be in the service's ALLOWED_ORIGINS and same-site
// with its PUBLIC_URL, and be a redirect URI of the client.

const config = await (await fetch('config.json')).json();
const [status, act, link, list] = ['status', 'act', 'link', 'repositories'].map((id) =>
  document.getElementById(id),
);
const here = new URL('.', location.href).href;

// In memory alone: a reload signs in again, and the issuer's own cookie makes that a blink.
let userToken;

if (new URLSearchParams(location.search).has('code')) {
  userToken = await redeemCode(new URLSearchParams(location.search));
  history.replaceState(undefined, '', here);
  offer('You are signed in.', 'What are my private repositories?', askAgent);
} else {
  offer('You are not signed in.', 'Sign in', signIn);
}

/** OAuth authorization code with PKCE. */
async function signIn() {
  const verifier = randomText();
  const state = randomText();
  sessionStorage.setItem(state, verifier);
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier));
  const url = new URL(config.authorizationEndpoint);
  url.search = new URLSearchParams({
    response_type: 'code',
    client_id: config.clientId,
    redirect_uri: here,
    scope: 'openid',
    state,
    code_challenge: base64Url(new Uint8Array(digest)),
    code_challenge_method: 'S256',
  });
  location.assign(url);
}

async function redeemCode(answer) {
  const state = answer.get('state');
  const verifier = sessionStorage.getItem(state);
  sessionStorage.removeItem(state);
  if (verifier === null) throw new Error('this browser has not asked for this code');
  const response = await fetch(config.tokenEndpoint, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      client_id: config.clientId,
      code: answer.get('code'),
      redirect_uri: here,
      code_verifier: verifier,
    }),
  });
  return (await response.json()).access_token;
}

async function askAgent() {
  status.textContent = 'The agent is asked…';
  const answer = await postJson(
    config.agentUrl,
    { prompt: 'What are my private repositories?' },
    { authorization: `Bearer ${userToken}` },
  );
  if (answer.authorization_url === undefined) return show(answer.repositories);

  // The pin, and with `credentials` the cookie that the callback goes by. It comes before anybody can click.
  const pinned = await postJson(
    `${config.serviceUrl}/userIdentifier/token`,
    {
      user_token: userToken,
      authorization_url: answer.authorization_url,
      label: 'GitHub for the example page',
    },
    {},
    { credentials: 'include' },
  );
  status.textContent = 'The agent needs your GitHub account.';
  link.href = pinned.start_url;
  link.hidden = false;

  const outcome = await outcomeOf(answer.session_uri);
  link.hidden = true;
  if (outcome === 'completed') return askAgent();
  offer(`Not connected: ${outcome}.`, 'Ask again', askAgent);
}

/** The service holds each question until something happens, for 25 seconds at most. */
async function outcomeOf(sessionUri) {
  const url = `${config.serviceUrl}/authorizations/${encodeURIComponent(sessionUri)}?wait=25`;
  for (;;) {
    const response = await fetch(url, { headers: { authorization: `Bearer ${userToken}` } }).catch(
      () => undefined,
    );
    if (response?.ok) {
      const { status: found } = await response.json();
      if (found !== 'pending') return found;
    } else {
      if (response !== undefined && response.status < 500 && response.status !== 429) return 'unknown';
      await new Promise((resolve) => setTimeout(resolve, 3000));
    }
  }
}

async function postJson(url, body, headers, options = {}) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
    ...options,
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(`${new URL(url).pathname} answered ${answer.code ?? response.status}`);
  return answer;
}

function show(repositories) {
  status.textContent = 'Your private repositories:';
  list.replaceChildren(
    ...repositories.map((text) => Object.assign(document.createElement('li'), { textContent: text })),
  );
}

/** One thing to say and one to do. */
function offer(text, label, action) {
  status.textContent = text;
  act.textContent = label;
  act.hidden = false;
  const onClick = () => {
    act.hidden = true;
    action().catch((error) => offer(`That did not work: ${error.message}.`, label, action));
  };
  act.addEventListener('click', onClick, { once: true });
}

function randomText() {
  return base64Url(crypto.getRandomValues(new Uint8Array(32)));
}

function base64Url(bytes) {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
}
