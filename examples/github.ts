/** GITHUB_API_URL is for trying: it names the emulator's GitHub. */
const API = process.env['GITHUB_API_URL'] ?? 'https://api.github.com';

/** The private repositories of whoever gave this access token, one a line. */
export async function listPrivateRepositories(accessToken: string): Promise<readonly string[]> {
  const { login }: { readonly login: string } = await ask('/user', accessToken);
  const query = new URLSearchParams({ q: `user:${login} is:private` }).toString();
  const {
    items,
  }: { readonly items: readonly { readonly full_name: string; readonly description: string | null }[] } =
    await ask(`/search/repositories?${query}`, accessToken);
  return items.map(({ full_name: name, description }) => `${name}: ${description ?? 'no description'}`);
}

async function ask(path: string, accessToken: string) {
  const response = await fetch(API + path, {
    headers: { authorization: `Bearer ${accessToken}`, accept: 'application/vnd.github+json' },
  });
  if (!response.ok) throw new Error(`GitHub answered ${response.status}`);
  return JSON.parse(await response.text());
}
