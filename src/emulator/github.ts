import type { Repository, ResourceAccount } from './resource-accounts.ts';
import type { Consent } from './resource-grants.ts';
import {
  type ApiAnswer,
  type ProviderKind,
  type ResourceProvider,
  type ResourceProviderOptions,
  startResourceProvider,
} from './resource-provider.ts';

/** GitHub as an OAuth app sees it, with its pages and its API at one address. */
const GITHUB: ProviderKind = {
  id: 'github',
  title: 'GitHub (emulated)',
  authorizePath: '/login/oauth/authorize',
  tokenPath: '/login/oauth/access_token',
  grants: { prefix: 'gho_', accessTtlSeconds: undefined },
  refusedCode: { status: 200, body: { error: 'bad_verification_code' } },
  unauthenticated: { status: 401, body: { message: 'Bad credentials', status: '401' } },
  answer(url, consent) {
    switch (url.pathname) {
      case '/user':
        return { status: 200, body: describeUser(consent.account) };
      case '/search/repositories':
        return search(url.searchParams.get('q') ?? '', consent);
      default:
        return undefined;
    }
  },
};

export function startGithub(options: ResourceProviderOptions = {}): Promise<ResourceProvider> {
  return startResourceProvider(GITHUB, options);
}

function describeUser({ login, name, email }: ResourceAccount): object {
  return { login, name, email, type: 'User' };
}

/** Knows `user:`, `is:private`, `is:public` and plain words; finds the account's own repositories only. */
function search(query: string, { account, scopes }: Consent): ApiAnswer {
  const words = query.split(' ').filter((word) => word !== '');
  if (words.length === 0) return { status: 422, body: { message: 'Validation Failed' } };
  const items = account.repositories
    .filter(({ isPrivate }) => !isPrivate || scopes.includes('repo'))
    .filter((repository) => words.every((word) => matches(word, repository, account)))
    .map(({ name, isPrivate, description }) => ({
      name,
      full_name: `${account.login}/${name}`,
      private: isPrivate,
      description,
      owner: { login: account.login },
    }));
  return { status: 200, body: { total_count: items.length, incomplete_results: false, items } };
}

function matches(
  word: string,
  { name, isPrivate, description }: Repository,
  { login }: ResourceAccount,
): boolean {
  if (word === 'is:private') return isPrivate;
  if (word === 'is:public') return !isPrivate;
  if (word.startsWith('user:')) return word === `user:${login}`;
  return `${name} ${description}`.toLowerCase().includes(word.toLowerCase());
}
