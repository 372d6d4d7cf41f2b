import { randomBytes } from 'node:crypto';
import { styleText } from 'node:util';
import { startAgentCore } from '../emulator/agentcore.ts';
import { startIssuer } from '../emulator/issuer.ts';
import { OUTCOMES } from '../pages/outcomes.ts';
import { Agent } from './agent.ts';
import { freePort } from './free-port.ts';
import { type Scene, SCENES, type Stage, subjectOf } from './scenes.ts';
import { startServiceProcess } from './service-process.ts';

const CLIENT_ID = 'demo-app';

const INTRODUCTION = `
agentcore-session-binding: every ending of a consent, on loopback, without an AWS account

Each line is a story that a scripted browser plays against the real command, a stand-in of AgentCore and an
issuer. It must end on the right page, with the account connected for the right person or for nobody.

`;

/** Walks every ending against the built command and says whether each is the contract's. */
export async function runScripted(): Promise<number> {
  const startedMs = performance.now();
  print(`${INTRODUCTION}  starting AgentCore, an issuer and the service …\n`);
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
  let right = 0;
  print(row(' ', 'story', 'page', 'connected for'));
  for (const scene of SCENES) {
    const complaints = await judge(scene, stage);
    right += complaints.length === 0 ? 1 : 0;
    show(scene, complaints);
  }
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  print(`\n  ${right} of ${SCENES.length} endings are the contract's, in ${seconds} s\n\n`);

  agent.close();
  const exitCode = await service.stop();
  await Promise.all([issuer.close(), agentcore.close()]);
  if (exitCode !== 0) print(`  the service did not stop cleanly (exit code ${exitCode})\n\n`);
  return right === SCENES.length && exitCode === 0 ? 0 : 1;
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
  const mark = complaints.length === 0 ? paint('green', '✓') : paint('red', '✗');
  print(row(mark, scene.title, scene.verdict.join(' '), scene.vault ?? 'nobody'));
  for (const complaint of complaints) print(`      ${paint('red', complaint)}\n`);
}

const TITLE_WIDTH = Math.max(...SCENES.map(({ title }) => title.length));
const VERDICT_WIDTH = Math.max(...SCENES.map(({ verdict }) => verdict.join(' ').length));

function row(mark: string, title: string, verdict: string, vault: string): string {
  const columns = `${verdict.padEnd(VERDICT_WIDTH)}  ${vault}`;
  return `  ${mark} ${title.padEnd(TITLE_WIDTH)}  ${paint('dim', columns)}\n`;
}

function paint(format: 'green' | 'red' | 'dim', text: string): string {
  return process.stdout.isTTY ? styleText(format, text) : text;
}

function print(text: string): void {
  process.stdout.write(text);
}
