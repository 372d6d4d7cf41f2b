import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

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
});
