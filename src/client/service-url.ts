/** Where the service listens, without a final slash; undefined for what user tokens must not be sent to. */
export function parseServiceUrl(text: string): string | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  const isConfidential = url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname));
  const hasMore = url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '';
  return isConfidential && !hasMore ? url.origin + url.pathname.replace(/\/+$/, '') : undefined;
}

function isLoopback(hostname: string): boolean {
  return /^(?:(?:[^.]+\.)*localhost|127(?:\.\d+){3}|\[::1\])$/.test(hostname);
}

/** AgentCore puts the id of the authorization session into the URL of its consent page. */
export function sessionUriOf(authorizationUrl: string): string | undefined {
  if (!URL.canParse(authorizationUrl)) return undefined;
  return new URL(authorizationUrl).searchParams.get('request_uri') ?? undefined;
}
