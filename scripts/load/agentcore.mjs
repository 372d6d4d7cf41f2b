// AgentCore Identity as fast as Node can answer, in a process of its own: under load the emulator's bookkeeping would be
// measured with the service. Says yes to every signed completion, after `delayMs`; Infinity is a hang.
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { serveWorker } from '../measure/worker.mjs';

let delayMs = 0;
let calls = 0;
const hanging = new Set();

const server = createServer((request, response) => {
  request.resume();
  request.once('end', () => {
    calls += 1;
    const answer = () => {
      const isSigned = request.headers.authorization?.startsWith('AWS4-HMAC-SHA256 ');
      response.writeHead(isSigned ? 200 : 403, {
        'content-type': 'application/json',
        'x-amzn-requestid': randomUUID(),
      });
      response.end('{}');
    };
    if (delayMs === 0) answer();
    else if (delayMs < Infinity) setTimeout(answer, delayMs);
    else hanging.add(response.once('close', () => hanging.delete(response)));
  });
});
server.keepAliveTimeout = 60_000;
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));

serveWorker({ endpoint: `http://127.0.0.1:${server.address().port}` }, (question) => {
  delayMs = question.delayMs;
  const answer = { calls };
  calls = 0;
  return answer;
});
