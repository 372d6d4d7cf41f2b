// AgentCore as fast as Node can be: it looks at nothing, and confirms after a delay; a flow `…that-hangs` never. A process of its own, so that what
// it costs is not counted as ours. Sent over IPC: its port, then each new delay in milliseconds.
import { createServer } from 'node:http';

let delayMs = 0;
let requests = 0;

const server = createServer((request, response) => {
  requests += 1;
  const answer = () =>
    response
      .writeHead(200, { 'content-type': 'application/json', 'x-amzn-requestid': `bench-${requests}` })
      .end('{}');
  let hangs = false;
  request.on('data', (chunk) => (hangs ||= chunk.includes('that-hangs')));
  request.on('end', () => {
    if (hangs) return;
    if (delayMs === 0) answer();
    else setTimeout(answer, delayMs);
  });
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }));
process.on('message', (message) => {
  delayMs = message.delayMs;
  process.send({ delayMs });
});
process.on('disconnect', () => process.exit());
