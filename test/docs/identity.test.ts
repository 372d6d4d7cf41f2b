import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { type Config, loadConfig } from '../../src/env/config.ts';
import { fileReader, OTHER_STRONG_SECRET, PLAIN_MACHINE, STRONG_SECRET } from '../env/environment.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const page = readFileSync(`${ROOT}/docs/identity.md`, 'utf8');

/** What a deployment mounts. */
const FILES = {
  '/run/secrets/session': STRONG_SECRET,
  '/run/secrets/store': `rediss://binding:${OTHER_STRONG_SECRET}@store.example.com:6379`,
  '/run/secrets/login': OTHER_STRONG_SECRET,
};

/** Each configuration of the page, under its heading. */
const BLOCKS = page
  .split(/^## /m)
  .flatMap((section) =>
    [...section.matchAll(/^```ini\n(.*?)^```$/gms)].map(
      ([, text = '']) => [section.split('\n')[0] ?? '', text] as const,
    ),
  );

function configOf(text: string): Config {
  const env = Object.fromEntries(
    text
      .trim()
      .split('\n')
      .map((line) => {
        const equals = line.indexOf('=');
        return [line.slice(0, equals), line.slice(equals + 1)];
      }),
  );
  const loaded = loadConfig(env, fileReader(FILES), PLAIN_MACHINE);
  if (loaded.kind === 'invalid') throw new Error(loaded.problems.join('\n'));
  expect(loaded.warnings.filter((line) => !line.startsWith('ALLOWED_ORIGINS'))).toEqual([]);
  return loaded.config;
}

/** What a configuration makes the service go by. */
function sourceOf({ singleUser, login, loadBalancer, userIdentifier }: Config): string {
  const source = loadBalancer ? 'load balancer' : login ? 'login' : singleUser ? 'click' : 'cookie';
  return `${source}, ${userIdentifier}`;
}

describe('the page about identity sources', () => {
  it('gives one whole configuration for each, which starts without a warning', () => {
    expect(BLOCKS.map(([heading, text]) => [heading, sourceOf(configOf(text))])).toEqual([
      ["The app posts its user's token", 'cookie, token'],
      ['A back end posts, users sign in', 'login, token'],
      ['A load balancer signs users in', 'load balancer, token'],
      ['The agent is invoked with a user id', 'login, id'],
      ['The agent is invoked with a user id', 'load balancer, id'],
      ['Only you', 'click, token'],
    ]);
  });

  it('leads from its table to a section each', () => {
    const anchors = [...page.matchAll(/\]\(#([^)]+)\)/g)].map(([, anchor = '']) => anchor);
    const headings = [...page.matchAll(/^## (.+)$/gm)].map(([, heading = '']) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\w\s-]/g, '')
        .replaceAll(' ', '-'),
    );
    expect(anchors).toHaveLength(5);
    expect(anchors.filter((anchor) => !headings.includes(anchor))).toEqual([]);
  });

  it('is linked from the README', () => {
    const readme = readFileSync(`${ROOT}/README.md`, 'utf8');
    expect(readme).toContain('(docs/identity.md)');
    expect(existsSync(`${ROOT}/docs/identity.md`)).toBe(true);
  });
});
