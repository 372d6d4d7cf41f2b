/**
 * A tool of AgentCore Gateway that needs its user's account. Gateway answers the call with an MCP error that asks the
 * user to open a URL. That URL opens for whoever reads it, so it is turned into a start link, which opens for him alone.
 */
import type { SessionBindingClient } from 'agentcore-session-binding/client';

export interface GatewayOptions {
  readonly gatewayUrl: string;
  readonly sessionBinding: SessionBindingClient;
  /** The JWT that Gateway's inbound authorizer takes: the user's own, not that of a machine. */
  readonly userToken: string;
  /** As the pages call the connection. */
  readonly label: string;
  /** Shows a link to the user: in your app, in his chat. */
  readonly showLink: (startUrl: string) => void;
  readonly signal?: AbortSignal;
}

/** MCP 2025-11-25, URL mode elicitation: the call can be repeated when the user has been there. */
const URL_ELICITATION_REQUIRED = -32042;

/** Calls the tool; where Gateway asks for consents, gets them and calls it once more. */
export async function callTool(options: GatewayOptions, name: string, args: object): Promise<unknown> {
  const first = await post(options, name, args);
  const urls = elicitedUrls(first.error);
  if (urls.length === 0) return resultOf(first);

  const { sessionBinding, userToken, label, showLink, signal } = options;
  for (const authorizationUrl of urls) {
    // Refused for a URL that is not AgentCore's: nothing of a tool's own is passed off as a consent.
    const { startUrl } = await sessionBinding.storeUserToken({ userToken, authorizationUrl, label, signal });
    showLink(startUrl);
    await sessionBinding.waitForAuthorization({ userToken, authorizationUrl, signal });
  }
  return resultOf(await post(options, name, args));
}

interface RpcAnswer {
  readonly result?: unknown;
  readonly error?: { readonly code: number; readonly message: string; readonly data?: unknown };
}

async function post(options: GatewayOptions, name: string, args: object): Promise<RpcAnswer> {
  const { gatewayUrl, sessionBinding, userToken, signal } = options;
  const returnUrl = await sessionBinding.getCallbackUrl({ userToken, signal });
  const response = await fetch(gatewayUrl, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${userToken}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      // Older versions know no URL elicitation.
      'mcp-protocol-version': '2025-11-25',
    },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: {
        name,
        arguments: args,
        _meta: {
          'aws.bedrock-agentcore.gateway/credentialProviderConfiguration': {
            oauthCredentialProvider: { returnUrl },
          },
        },
      },
    }),
    signal: signal ?? null,
  });
  const text = await response.text();
  const event = text.split(/\r?\n/).find((line) => line.startsWith('data:'));
  return JSON.parse(event?.slice('data:'.length) ?? text);
}

/** The URLs that the user has to open, in the shape of MCP's URLElicitationRequiredError. */
export function elicitedUrls(error: RpcAnswer['error']): readonly string[] {
  if (error?.code !== URL_ELICITATION_REQUIRED) return [];
  const { elicitations } = Object(error.data);
  if (!Array.isArray(elicitations)) return [];
  return elicitations.flatMap((entry) =>
    entry?.mode === 'url' && typeof entry.url === 'string' ? [entry.url] : [],
  );
}

function resultOf({ result, error }: RpcAnswer): unknown {
  if (error !== undefined) throw new Error(`Gateway answered ${error.code}`);
  return result;
}
