import type { IncomingMessage } from 'node:http';

/** An OAuth client's id and secret, from HTTP Basic or from the form (RFC 6749, section 2.3.1). */
export function clientCredentialsOf(
  request: IncomingMessage,
  form: URLSearchParams,
): { readonly clientId: string; readonly clientSecret: string | undefined } {
  const [, basic] = /^Basic (.+)$/i.exec(request.headers.authorization ?? '') ?? [];
  if (basic !== undefined) {
    const [clientId = '', clientSecret = ''] = Buffer.from(basic, 'base64').toString('utf8').split(':');
    return { clientId: decodeURIComponent(clientId), clientSecret: decodeURIComponent(clientSecret) };
  }
  return { clientId: form.get('client_id') ?? '', clientSecret: form.get('client_secret') ?? undefined };
}

/** Undefined without a bearer token. */
export function bearerOf(request: IncomingMessage): string | undefined {
  return /^(?:Bearer|token) (.+)$/i.exec(request.headers.authorization ?? '')?.[1];
}
