// What a server answers, as it leaves. Plain JavaScript, since the built command loads it too (`--import`), and
// those that it starts: there each answer of the service's own port becomes a line of the file that RECORDED_ANSWERS names.
import childProcess from 'node:child_process';
import { subscribe } from 'node:diagnostics_channel';
import { appendFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

/**
 * @param {import('node:http').IncomingMessage} request
 * @param {import('node:http').ServerResponse} response
 * @param {(answer: import('./complain-about.mjs').SentAnswer) => void} tell
 */
export function recordAnswer(request, response, tell) {
  let headers = {};
  const writeHead = response.writeHead.bind(response);
  const end = response.end.bind(response);
  response.writeHead = (status, ...more) => {
    headers = more.at(-1) ?? {};
    return writeHead(status, ...more);
  };
  response.end = (...args) => {
    tell({
      method: request.method ?? '',
      url: request.url ?? '',
      status: response.statusCode,
      headers: { ...response.getHeaders(), ...headers },
      body: typeof args[0] === 'string' || Buffer.isBuffer(args[0]) ? args[0].toString() : '',
    });
    return end(...args);
  };
}

const { RECORDED_ANSWERS, PORT, NODE_OPTIONS } = process.env;
if (RECORDED_ANSWERS !== undefined) {
  if (process.argv[2] === 'serve') writeDown();
  else passOn({ RECORDED_ANSWERS, NODE_OPTIONS });
}

function writeDown() {
  subscribe('http.server.request.start', ({ request, response, server }) => {
    // The port of metrics has no part in the document.
    if (server.address()?.port !== Number(PORT)) return;
    recordAnswer(request, response, (answer) =>
      appendFileSync(RECORDED_ANSWERS, `${JSON.stringify(answer)}\n`),
    );
  });
}

/** To the services that this process starts: the demo gives its own an environment that names all it shall know. */
function passOn(env) {
  const { spawn } = childProcess;
  childProcess.spawn = (file, args, options) =>
    spawn(file, args, options?.env === undefined ? options : { ...options, env: { ...options.env, ...env } });
  syncBuiltinESMExports();
}
