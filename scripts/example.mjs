// One of the examples against stand-ins of AWS, GitHub and Google and the real service: npm run example -- NAME
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { BedrockAgentCoreClient } from '@aws-sdk/client-bedrock-agentcore';
import { freePort } from '../dist/demo/free-port.js';
import { startServiceProcess } from '../dist/demo/service-process.js';
import { startEmulator } from '../dist/emulator/emulator.js';
import { connectAsAlice } from './example/alice.mjs';
import { startGateway } from './example/gateway.mjs';
import { servePage } from './example/page.mjs';
import { startRuntime } from './example/runtime.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const USAGE = `Usage: npm run example -- NAME [--scripted]

Runs an example on this machine, with stand-ins of AWS, GitHub and Google. No account is needed.
  github-agent       lists private repositories: an agent on the AWS SDK
  drive-agent        lists files of Google Drive, likewise
  gateway-agent      calls a tool of a stand-in of AgentCore Gateway, which asks for the consent
  notebook           a notebook as a Python script, which invokes an agent in a stand-in of AgentCore Runtime
  single-page-app    a page that invokes it, in your browser
  --scripted         a script consents as alice; not for the page
`;

const CLIENT_ID = 'web-app';
const WORKLOAD = 'example-agent';

// The stand-ins' own process is not what is shown.
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';

const [name, ...flags] = process.argv.slice(2);
const EXAMPLES = {
  'github-agent': (world) => runToTheEnd(process.execPath, ['build/examples/github-agent.js'], world),
  'drive-agent': (world) => runToTheEnd(process.execPath, ['build/examples/drive-agent.js'], world),
  'gateway-agent': runGateway,
  notebook: runNotebook,
  'single-page-app': runPage,
};
const isScripted = flags.includes('--scripted');
const isKnown = Object.hasOwn(EXAMPLES, name ?? '') && flags.every((flag) => flag === '--scripted');
if (!isKnown || (isScripted && name === 'single-page-app')) {
  process.stdout.write(USAGE);
  process.exitCode = name === '--help' ? 0 : 2;
} else {
  process.exitCode = await main();
}

async function main() {
  const pagePort = await freePort();
  const servicePort = await freePort();
  const pageUrl = `http://localhost:${pagePort}`;
  const callbackUrl = `http://localhost:${servicePort}/oauth2/callback`;
  const emulator = await startEmulator({
    users: [{ username: 'alice', password: 'alice' }],
    clients: [{ clientId: CLIENT_ID, redirectUris: [`${pageUrl}/`] }],
    workloads: [{ name: WORKLOAD, returnUrls: [callbackUrl] }],
    providers: [
      { name: 'github', vendor: 'GithubOauth2' },
      { name: 'google', vendor: 'GoogleOauth2' },
    ],
  });
  let service;
  try {
    service = await startServiceProcess({
      port: servicePort,
      agentcoreEndpoint: emulator.agentcore.endpoint,
      discoveryUrl: emulator.cognito.discoveryUrl,
      clientId: CLIENT_ID,
      sessionSecret: randomBytes(32).toString('base64url'),
      settings: { SINGLE_USER: 'true', ALLOWED_ORIGINS: pageUrl },
    });
    const world = {
      emulator,
      service,
      pagePort,
      pageUrl,
      callbackUrl,
      env: environmentOf(emulator, service),
    };
    return await EXAMPLES[name](world);
  } finally {
    await service?.stop();
    await emulator.close();
  }
}

/** What the examples are told; with AWS it is your own. */
function environmentOf(emulator, service) {
  return {
    PATH: process.env['PATH'],
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
    AWS_SECRET_ACCESS_KEY: 'example',
    AWS_ENDPOINT_URL_BEDROCK_AGENTCORE: emulator.agentcore.endpoint,
    WORKLOAD,
    SESSION_BINDING_URL: service.url,
    AGENTCORE_SESSION_BINDING_URL: service.url,
    GITHUB_API_URL: emulator.github.origin,
    GOOGLE_API_URL: emulator.google.origin,
  };
}

/** Alice signs in to the user pool, as an app does it for her. */
async function userTokenOfAlice({ emulator }) {
  const response = await fetch(emulator.cognito.endpoint, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': 'AWSCognitoIdentityProviderService.InitiateAuth',
    },
    body: JSON.stringify({
      AuthFlow: 'USER_PASSWORD_AUTH',
      ClientId: CLIENT_ID,
      AuthParameters: { USERNAME: 'alice', PASSWORD: 'alice' },
    }),
  });
  return (await response.json()).AuthenticationResult.AccessToken;
}

/** Shows what the program says. Where it asks for a consent, you open the link and act as alice; or the script does. */
async function runToTheEnd(program, args, world, more = {}) {
  const env = { ...world.env, USER_TOKEN: await userTokenOfAlice(world), ...more };
  const child = spawn(program, args, { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  let isConnecting = false;
  child.stdout.setEncoding('utf8').on('data', (text) => {
    process.stdout.write(text);
    output += text;
    const [startUrl] = /http:\S+\/oauth2\/start\?\S+(?=\n)/.exec(output) ?? [];
    if (startUrl === undefined || isConnecting) return;
    isConnecting = true;
    if (isScripted) {
      connectAsAlice(startUrl).catch((error) => {
        process.stderr.write(`${error.message}\n`);
        child.kill();
      });
    } else {
      process.stdout.write('(Open it, continue as alice, choose alice’s account, allow.)\n');
    }
  });
  const end = () => child.kill();
  process.once('SIGTERM', end);
  const [code] = await once(child, 'close');
  process.off('SIGTERM', end);
  return code ?? 1;
}

async function runGateway(world) {
  const { emulator } = world;
  const agentcore = new BedrockAgentCoreClient({
    region: 'us-east-1',
    endpoint: emulator.agentcore.endpoint,
    credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'example' },
  });
  const gateway = await startGateway({
    agentcore,
    workloadName: WORKLOAD,
    provider: 'github',
    scopes: ['repo'],
    async callTarget(_tool, accessToken) {
      const headers = { authorization: `Bearer ${accessToken}` };
      const answer = await fetch(`${emulator.github.origin}/search/repositories?q=user:alice`, { headers });
      return (await answer.json()).items.map(({ full_name }) => full_name).join('\n');
    },
  });
  try {
    return await runToTheEnd(process.execPath, ['build/examples/gateway-agent.js'], world, {
      GATEWAY_URL: gateway.url,
      TOOL: 'GitHub___listRepositories',
    });
  } finally {
    await gateway.close();
    agentcore.destroy();
  }
}

async function runNotebook(world) {
  const runtime = await startAgent(world);
  try {
    return await runToTheEnd('python3', ['examples/notebook.py'], world, {
      AGENT_URL: runtime.url,
      PYTHONPATH: 'clients/python',
      PYTHONDONTWRITEBYTECODE: '1',
    });
  } finally {
    await runtime.close();
  }
}

async function runPage(world) {
  const { emulator, service, pagePort, pageUrl } = world;
  const { origin } = new URL(emulator.cognito.discoveryUrl);
  const runtime = await startAgent(world);
  const page = await servePage(pagePort, {
    clientId: CLIENT_ID,
    authorizationEndpoint: `${origin}/oauth2/authorize`,
    tokenEndpoint: `${origin}/oauth2/token`,
    agentUrl: runtime.url,
    serviceUrl: service.url,
  });
  process.stdout.write(`Open ${pageUrl}/ and sign in as alice (password alice). Ctrl+C ends it.\n`);
  await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
  await page.close();
  await runtime.close();
  return 0;
}

/** The example agent in a process of its own, behind what AgentCore Runtime does for it. */
async function startAgent({ env, emulator, callbackUrl }) {
  const port = await freePort();
  const agent = spawn(process.execPath, ['build/examples/runtime-agent.js'], {
    cwd: ROOT,
    env: { ...env, CALLBACK_URL: callbackUrl, PORT: String(port), HOST: '127.0.0.1' },
    stdio: 'inherit',
  });
  process.once('exit', () => agent.kill());
  const runtime = await startRuntime({
    agentUrl: `http://127.0.0.1:${port}`,
    agentcoreEndpoint: emulator.agentcore.endpoint,
    workloadName: WORKLOAD,
  });
  return {
    url: runtime.url,
    async close() {
      await runtime.close();
      agent.kill();
    },
  };
}
