import { readFileSync } from 'node:fs';
import { Secret } from '../../src/binding/secret.ts';

const PASSWORD = 'a-password-for-the-acl';

/** The words of `ACL SETUSER` that docs/storage.md tells operators to write, with a password of ours. */
export function documentedAcl(): readonly [string, ...string[]] {
  const docs = readFileSync(new URL('../../docs/storage.md', import.meta.url), 'utf8');
  const line = /^ACL SETUSER (.+)$/m.exec(docs)?.[1];
  const [name, ...rules] = line?.replace('PASSWORD', PASSWORD).split(' ') ?? [];
  if (name === undefined) throw new Error('docs/storage.md has no ACL SETUSER line');
  return [name, ...rules];
}

/** Who we are by it. */
export const DOCUMENTED_USER = {
  username: new Secret(documentedAcl()[0]),
  password: new Secret(PASSWORD),
};
