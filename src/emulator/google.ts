import {
  type ProviderKind,
  type ResourceProvider,
  type ResourceProviderOptions,
  startResourceProvider,
} from './resource-provider.ts';

const DRIVE_SCOPE = 'https://www.googleapis.com/auth/drive';

/** Google as an OAuth client sees it, with its pages and its APIs at one address. Access tokens live an hour. */
const GOOGLE: ProviderKind = {
  id: 'google',
  title: 'Google (emulated)',
  authorizePath: '/o/oauth2/v2/auth',
  tokenPath: '/token',
  grants: { prefix: 'ya29.', accessTtlSeconds: 3600 },
  refusedCode: { status: 400, body: { error: 'invalid_grant' } },
  unauthenticated: {
    status: 401,
    body: { error: { code: 401, message: 'Invalid Credentials', status: 'UNAUTHENTICATED' } },
  },
  answer(url, { account, scopes }) {
    if (url.pathname !== '/drive/v3/files') return undefined;
    if (!scopes.some((scope) => scope === DRIVE_SCOPE || scope.startsWith(`${DRIVE_SCOPE}.`))) {
      const error = { code: 403, message: 'Insufficient Permission', status: 'PERMISSION_DENIED' };
      return { status: 403, body: { error } };
    }
    const files = account.files.map(({ name, mimeType }, index) => {
      return { kind: 'drive#file', id: `${account.login}-${index}`, name, mimeType };
    });
    return { status: 200, body: { kind: 'drive#fileList', incompleteSearch: false, files } };
  },
};

export function startGoogle(options: ResourceProviderOptions = {}): Promise<ResourceProvider> {
  return startResourceProvider(GOOGLE, options);
}
