/** An agent with one tool of AgentCore Gateway, which lists its user's private repositories. */
import { createSessionBindingClient, SessionBindingError } from 'agentcore-session-binding/client';
import { explain } from './connect-account.ts';
import { callTool } from './gateway-elicitation.ts';

interface ToolResult {
  readonly content?: readonly { readonly text?: string }[];
  readonly isError?: boolean;
}

const { GATEWAY_URL = '', TOOL = '', USER_TOKEN = '', SESSION_BINDING_URL } = process.env;

try {
  const result = await callTool(
    {
      gatewayUrl: GATEWAY_URL,
      sessionBinding: createSessionBindingClient({ baseUrl: SESSION_BINDING_URL }),
      userToken: USER_TOKEN,
      label: 'GitHub for the example agent',
      showLink: (startUrl) => process.stdout.write(`Please connect your account: ${startUrl}\n`),
    },
    TOOL,
    {},
  );
  const { content, isError }: ToolResult = Object(result);
  for (const { text } of content ?? []) if (text !== undefined) process.stdout.write(`${text}\n`);
  if (isError === true) process.exitCode = 1;
} catch (error) {
  const reason = error instanceof SessionBindingError ? error.code : String(error);
  process.stderr.write(`${explain(error)} (${reason})\n`);
  process.exitCode = 1;
}
