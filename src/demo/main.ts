import { randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import { styleText } from 'node:util';
import { startAgentCore } from '../emulator/agentcore.ts';
import { startIssuer } from '../emulator/issuer.ts';
import { OUTCOMES } from '../pages/outcomes.ts';
import { Agent } from './agent.ts';
import { type Scene, SCENES, type Stage, subjectOf } from './scenes.ts';
import { startServiceProcess } from './service-process.ts';

const CLIENT_ID = 'demo-app';

/** Walks every ending against the built command and says whether each is the contract's. */
async function main(): Promise<number> {
  // A line about Node versions in the middle of the verdicts helps nobody here; `serve` still says it.
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';
  const startedMs = performance.now();
  print('\nagentcore-session-binding: every ending of a consent, on loopback, without an AWS account\n\n');
  const [issuer, agentcore, port] = await Promise.all([startIssuer(), startAgentCore(), freePort()]);
  const sessionSecret = randomBytes(32).toString('base64url');
  const service = await startServiceProcess({
    port,
    agentcoreEndpoint: agentcore.endpoint,
    discoveryUrl: issuer.discoveryUrl,
    clientId: CLIENT_ID,
    sessionSecret,
  });
  const returnUrl = `${service.url}/oauth2/callback`;
  agentcore.returnUrls.add(returnUrl);
  print(`  service    ${service.url}    (agentcore-session-binding serve)\n`);
  print(`  issuer     ${issuer.issuer}\n  agentcore  ${agentcore.endpoint}\n\n`);

  const agent = new Agent({ endpoint: agentcore.endpoint, returnUrl });
  const stage: Stage = { url: service.url, agentcore, issuer, agent, clientId: CLIENT_ID };
  let wrong = 0;
  try {
    for (const scene of SCENES) {
      const complaints = await judge(scene, stage);
      wrong += complaints.length > 0 ? 1 : 0;
      show(scene, complaints);
    }
  } finally {
    agent.close();
    const exitCode = await service.stop();
    await Promise.all([issuer.close(), agentcore.close()]);
    if (exitCode !== 0) {
      wrong += 1;
      print(`  the service did not stop cleanly (exit code ${exitCode})\n`);
    }
  }
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  const right = SCENES.length - wrong;
  print(`\n  ${right} of ${SCENES.length} endings are the contract's, in ${seconds} s\n\n`);
  return wrong === 0 ? 0 : 1;
}

/** What differs from the scene's verdict: page, calls of AgentCore, vault. */
async function judge(scene: Scene, stage: Stage): Promise<readonly string[]> {
  const callsBefore = stage.agentcore.completeCalls;
  try {
    const { page, flow } = await scene.play(stage);
    const [status, code] = scene.verdict;
    const calls = stage.agentcore.completeCalls - callsBefore;
    const vault = stage.agentcore.vaultOwnerOf(flow.sessionUri);
    const owner = vault?.kind === 'jwt' ? vault.subject : vault?.userId;
    const expectedOwner = scene.vault === undefined ? undefined : subjectOf(scene.vault);
    const title = titleOf(page.body);
    const expectedTitles = titlesOf(code);
    return [
      page.status === status ? [] : [`status ${page.status} instead of ${status}`],
      expectedTitles.includes(title) ? [] : [`page "${title}" instead of "${expectedTitles[0]}"`],
      calls === scene.calls ? [] : [`${calls} calls of AgentCore instead of ${scene.calls}`],
      owner === expectedOwner
        ? []
        : [`connected for ${owner ?? 'nobody'} instead of ${scene.vault ?? 'nobody'}`],
    ].flat();
  } catch (error) {
    return [`it broke: ${String(error)}`];
  } finally {
    stage.agentcore.faults.clear();
  }
}

function titleOf(body: string): string {
  return /<title>([^<]*)<\/title>/.exec(body)?.[1] ?? body.slice(0, 80);
}

function titlesOf(code: string): readonly string[] {
  const title = Object.entries(OUTCOMES).find(([name]) => name === code)?.[1].title ?? '';
  return code === 'completed' ? [title, 'You are already connected'] : [title];
}

function show(scene: Scene, complaints: readonly string[]): void {
  const [status, code] = scene.verdict;
  const isRight = complaints.length === 0;
  const mark = isRight ? paint('green', '✓') : paint('red', '✗');
  print(`  ${mark} ${scene.title.padEnd(76)} ${paint('dim', `${status} ${code}`)}\n`);
  for (const complaint of complaints) print(`      ${paint('red', complaint)}\n`);
}

function paint(format: 'green' | 'red' | 'dim', text: string): string {
  return process.stdout.isTTY ? styleText(format, text) : text;
}

function print(text: string): void {
  process.stdout.write(text);
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  await new Promise((resolve) => {
    server.close(resolve);
  });
  if (address === null || typeof address === 'string') throw new Error('not listening on a port');
  return address.port;
}

process.exitCode = await main();
