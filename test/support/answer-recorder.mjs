// What a server answers, as it leaves. Plain JavaScript, since the built command loads it too (`--import`): there each
// answer of the service's own port becomes a line of the file that RECORDED_ANSWERS names.
import { subscribe } from 'node:diagnostics_channel';
import { appendFileSync } from 'node:fs';

/**
 * @param {import('node:http').IncomingMessage} request
 * @param {import('node:http').ServerResponse} response
 * @param {(answer: import('./described-answers.ts').SentAnswer) => void} tell
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

const { RECORDED_ANSWERS, PORT } = process.env;
if (RECORDED_ANSWERS !== undefined) {
  subscribe('http.server.request.start', ({ request, response, server }) => {
    // The port of metrics has no part in the document.
    if (server.address()?.port !== Number(PORT)) return;
    recordAnswer(request, response, (answer) =>
      appendFileSync(RECORDED_ANSWERS, `${JSON.stringify(answer)}\n`),
    );
  });
}
