import { connect } from 'node:net';

const ANSWER_BUDGET_MS = 30_000;
const SLOW_MS = 2_000;

/** What no browser would send. `isWhole`: something has to come back, be it a closed connection. */
const REQUESTS = [
  { isWhole: true, bytes: () => '\u0016\u0003\u0001\u0002\u0000\u0001\r\n\r\n' },
  { isWhole: true, bytes: () => 'GET /oauth2/callback HTTP/1.1\r\n\r\n' },
  { isWhole: true, bytes: (host) => `GET / HTTP/1.1\r\nhost: ${host}\r\nhost: evil.example\r\n\r\n` },
  { isWhole: true, bytes: (host) => `HEAD /oauth2/callback?session_id=x HTTP/1.1\r\nhost: ${host}\r\n\r\n` },
  { isWhole: true, bytes: (host) => `TRACE /ping HTTP/1.1\r\nhost: ${host}\r\n\r\n` },
  {
    isWhole: true,
    bytes: (host) => `GET /oauth2/start?flow=${'x'.repeat(20_000)} HTTP/1.1\r\nhost: ${host}\r\n\r\n`,
  },
  {
    isWhole: true,
    bytes: (host) => `GET /ping HTTP/1.1\r\nhost: ${host}\r\nx: ${'y'.repeat(40_000)}\r\n\r\n`,
  },
  { isWhole: true, bytes: (host) => `GET /%ff%00?session_id=%zz HTTP/1.1\r\nhost: ${host}\r\n\r\n` },
  { isWhole: true, bytes: (host) => post(host, '{"user_token": ') },
  { isWhole: true, bytes: (host) => post(host, JSON.stringify({ user_token: 'a.b.c' })) },
  { isWhole: true, bytes: (host) => post(host, 'x'.repeat(70_000)) },
  { isWhole: true, bytes: (host) => `GET /ping HTTP/1.1\r\nhost: ${host}\r\n\r\n`.repeat(20) },
  // Slow ones: nothing, half of a head, half of a body; they give up before they are cut off.
  { isWhole: false, bytes: () => '' },
  { isWhole: false, bytes: (host) => `GET /oauth2/callback HTTP/1.1\r\nhost: ${host}\r\n` },
  { isWhole: false, bytes: (host) => post(host, '{"user_token": "x').slice(0, -8) },
];

function post(host, body) {
  return `POST /userIdentifier/token HTTP/1.1\r\nhost: ${host}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
}

/** Sends one of them; says whether something came back where something had to. */
export function beRude(url, random) {
  const { host, port } = new URL(url);
  const { bytes, isWhole } = random.of(REQUESTS);
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port: Number(port) });
    const end = (isRight) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(isRight);
    };
    const timer = setTimeout(() => end(!isWhole), isWhole ? ANSWER_BUDGET_MS : SLOW_MS * random.next());
    socket.on('connect', () => socket.write(bytes(host), 'latin1'));
    for (const event of ['data', 'error', 'close']) socket.once(event, () => end(true));
  });
}
