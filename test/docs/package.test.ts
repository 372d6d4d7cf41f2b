import { execFile, spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { follow, recordAnswers } from '../support/built-command.ts';
import { startSurroundings, statusOf } from '../support/built-service.ts';
import { until } from '../support/until.ts';
import { blocksIn } from './blocks.ts';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** A program of somebody else, as strict as TypeScript gets: every type of the client's is there and is right. */
const CONSUMER = `
import {
  createAuthUrlHandler,
  createSessionBindingClient,
  createTokenPoller,
  SessionBindingError,
  type SessionBindingClient,
  type SessionBindingErrorCode,
  type StoredUserToken,
  type TokenPoller,
} from 'agentcore-session-binding/client';
import { type Emulator, startEmulator } from 'agentcore-session-binding/emulator';

export const world = (): Promise<Emulator> => startEmulator({ users: [{ username: 'alice', password: 'alice' }] });
const client: SessionBindingClient = createSessionBindingClient({ baseUrl: 'http://localhost:1', requestTimeoutMs: 50 });
export async function connect(userToken: string, authorizationUrl: string): Promise<string> {
  const stored: StoredUserToken = await client.storeUserToken({ userToken });
  const { startUrl } = await client.storeUserToken({ userToken, authorizationUrl });
  // @ts-expect-error without a pin there may be no start link
  const link: string = stored.startUrl;
  await client.waitForAuthorization({ userToken, authorizationUrl });
  // @ts-expect-error which flow?
  await client.waitForAuthorization({ userToken });
  const fetchToken = async () => undefined;
  const poller: TokenPoller = createTokenPoller({ client, userToken, sessionUri: 'urn:x', fetchToken });
  const onAuthUrl = createAuthUrlHandler({ client, userToken, showLink: () => {} });
  await onAuthUrl(authorizationUrl);
  return startUrl + link + (await poller.pollForToken());
}
const error: unknown = await client.waitUntilReady({ timeoutMs: 50 }).catch((reason: unknown) => reason);
if (!(error instanceof SessionBindingError)) throw new Error('not an error of the client');
const code: SessionBindingErrorCode = error.code;
console.log(code);
`;

/** What npm installs with the package, by the lockfile: everything that neither builds nor tests. */
function shippedPackages(): readonly string[] {
  const { packages } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<Record<string, { readonly dev?: boolean }>>;
  };
  return Object.entries(packages)
    .filter(([path, { dev = false }]) => /^node_modules\/(?:@[^/]+\/)?[^/]+$/.test(path) && !dev)
    .map(([path]) => path);
}

describe('the packed package', () => {
  let folder = '';
  let files: readonly string[] = [];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'packed-'));
    const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', folder], { cwd: ROOT });
    const [packed] = JSON.parse(stdout) as readonly {
      filename: string;
      files: readonly { path: string }[];
    }[];
    files = packed?.files.map(({ path }) => path) ?? [];
    const target = join(folder, 'node_modules', 'agentcore-session-binding');
    mkdirSync(target, { recursive: true });
    await run('tar', ['-xzf', join(folder, packed?.filename ?? ''), '-C', target, '--strip-components=1']);
    for (const path of shippedPackages()) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      symlinkSync(join(ROOT, path), join(folder, path));
    }
    // What npm makes of `bin`.
    mkdirSync(join(folder, 'node_modules/.bin'));
    symlinkSync(join(target, 'dist/cli.js'), join(folder, 'node_modules/.bin/agentcore-session-binding'));
    chmodSync(join(target, 'dist/cli.js'), 0o755);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('holds what its entries name, and neither tests nor sources nor anything that was left lying about', () => {
    const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
      readonly bin: Readonly<Record<string, string>>;
      readonly exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
    };
    const named = [manifest.bin, ...Object.values(manifest.exports)].flatMap((entry) =>
      typeof entry === 'string' ? [entry] : Object.values(entry),
    );
    expect(named.length).toBeGreaterThan(3);
    for (const path of named) expect(files).toContain(path.replace(/^\.\//, ''));
    const isMeant = /^(?:dist\/.+\.(?:js|d\.ts)|(?:README|SECURITY)\.md|LICENSE|package\.json)$/;
    expect(files.filter((path) => !isMeant.test(path))).toEqual([]);
    expect(files.filter((path) => /(?:^|[/.])(?:tests?|examples?|support)[/.]/.test(path))).toEqual([]);
  });

  it('gives a program in an empty folder the client with its types, and no dependency', async () => {
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
    writeFileSync(join(folder, 'consumer.ts'), CONSUMER);
    const compilerOptions = {
      target: 'ES2023',
      module: 'NodeNext',
      strict: true,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      skipLibCheck: false,
      types: ['node'],
      typeRoots: [join(ROOT, 'node_modules/@types')],
    };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['consumer.ts'] }));
    const compiled = await run(process.execPath, [
      join(ROOT, 'node_modules/typescript/bin/tsc'),
      '-p',
      folder,
    ]).catch((error: { readonly stdout: string }) => error);
    expect(compiled.stdout).toBe('');
    const { stdout } = await run(process.execPath, [join(folder, 'consumer.js')]);
    expect(stdout).toBe('unreachable\n');
  });

  it('runs by its name: the demo in all its endings, and the service, of which doctor finds nothing wrong', async () => {
    const start = (args: readonly string[], env: Readonly<Record<string, string>>) =>
      follow(
        spawn(join(folder, 'node_modules/.bin/agentcore-session-binding'), args, {
          cwd: folder,
          stdio: ['ignore', 'pipe', 'pipe'],
          env: {
            PATH: process.env['PATH'],
            AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
            ...recordAnswers(),
            ...env,
          },
        }),
      );
    const demo = start(['demo', '--scripted'], {});

    const { agentcore, issuer, port, url } = await startSurroundings();
    agentcore.workloads.put('sales-agent', [`${url}/oauth2/callback`]);
    const env = {
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'AKIDTEST',
      AWS_SECRET_ACCESS_KEY: 'test',
      AWS_ENDPOINT_URL_BEDROCK_AGENTCORE: agentcore.endpoint,
      AWS_ENDPOINT_URL_BEDROCK_AGENTCORE_CONTROL: agentcore.endpoint,
      JWT_DISCOVERY_URL: issuer.discoveryUrl,
      JWT_ALLOWED_CLIENTS: 'web-client',
      RUNTIME_ENVIRONMENT: 'local',
      PORT: String(port),
    };
    const service = start(['serve'], env);
    await until('/ready', async () => ((await statusOf(`${url}/ready`)) === 200 ? true : undefined));
    const doctor = await start(['doctor', '--workload', 'sales-agent'], env).ended;
    expect([doctor.code, doctor.stdout]).toEqual([0, expect.not.stringContaining('✗')]);
    service.kill('SIGTERM');
    expect((await service.ended).code).toBe(0);

    const { code, stdout } = await demo.ended;
    expect(code).toBe(0);
    expect(stdout).toMatch(/(\d+) of \1 endings are the contract's/);
  });

  it('gives the emulator, which does what its page shows, with its types', async () => {
    const [block] = blocksIn('js').filter(({ file }) => file === 'docs/emulator.md');
    writeFileSync(join(folder, 'emulator.mjs'), block?.text ?? '');
    const { stdout } = await run(process.execPath, [join(folder, 'emulator.mjs')]);
    expect(stdout).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/identities\/oauth2\/authorize\?request_uri=\S+\n$/);
  });
});
