// The floor: node:http on both sides, no framework, no SDK, a signature by hand (SigV4, static credentials).
import { createHash, createHmac } from 'node:crypto';
import { Agent, createServer, request as send } from 'node:http';

const endpoint = new URL(process.env.AWS_ENDPOINT_URL_BEDROCK_AGENTCORE);
const { AWS_REGION: region, AWS_ACCESS_KEY_ID: keyId, AWS_SECRET_ACCESS_KEY: secret } = process.env;
const agent = new Agent({ keepAlive: true });
const PATH = '/identities/CompleteResourceTokenAuth';
const SIGNED = 'content-type;host;x-amz-content-sha256;x-amz-date';
let userToken;

const sha256 = (text) => createHash('sha256').update(text).digest('hex');
const hmac = (key, text) => createHmac('sha256', key).update(text).digest();

function headersFor(body) {
  const at = new Date().toISOString().replaceAll(/[:-]|\.\d{3}/g, '');
  const day = at.slice(0, 8);
  const hash = sha256(body);
  const canonical = `POST\n${PATH}\n\ncontent-type:application/json\nhost:${endpoint.host}\nx-amz-content-sha256:${hash}\nx-amz-date:${at}\n\n${SIGNED}\n${hash}`;
  const scope = `${day}/${region}/bedrock-agentcore/aws4_request`;
  const key = ['aws4_request', 'bedrock-agentcore', region, day].reduceRight(
    (previous, part) => hmac(previous, part),
    `AWS4${secret}`,
  );
  const signature = hmac(key, `AWS4-HMAC-SHA256\n${at}\n${scope}\n${sha256(canonical)}`).toString('hex');
  return {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    'x-amz-content-sha256': hash,
    'x-amz-date': at,
    authorization: `AWS4-HMAC-SHA256 Credential=${keyId}/${scope}, SignedHeaders=${SIGNED}, Signature=${signature}`,
  };
}

function complete(sessionUri) {
  const body = JSON.stringify({ sessionUri, userIdentifier: { userToken } });
  return new Promise((resolve, reject) => {
    const request = send(
      {
        agent,
        method: 'POST',
        host: endpoint.hostname,
        port: endpoint.port,
        path: PATH,
        headers: headersFor(body),
      },
      (response) => response.resume().on('end', resolve),
    );
    request.on('error', reject).end(body);
  });
}

createServer((request, response) => void answer(request, response)).listen(
  Number(process.env.PORT),
  '127.0.0.1',
);

async function answer(request, response) {
  const url = new URL(request.url, 'http://localhost');
  if (url.pathname === '/ping') return response.end('{"status":"success"}');
  if (request.method === 'POST') {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    userToken = JSON.parse(Buffer.concat(chunks).toString()).user_token;
    return response.end('{"status":"success"}');
  }
  await complete(url.searchParams.get('session_id'));
  const page = '<!doctype html><title>Connected</title><p>You can close this window.</p>';
  response.writeHead(200, { 'content-type': 'text/html', 'content-length': page.length }).end(page);
}
