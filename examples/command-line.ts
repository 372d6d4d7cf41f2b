/** What the agents of this folder have in common when they are tried at a command line. */
import { BedrockAgentCoreClient } from '@aws-sdk/client-bedrock-agentcore';
import { createSessionBindingClient, SessionBindingError } from 'agentcore-session-binding/client';
import { connectAccount, explain } from './connect-account.ts';

export interface CommandLineAgent {
  /** The OAuth2 credential provider in AgentCore Identity, unless PROVIDER names another. */
  readonly provider: string;
  readonly scopes: string[];
  readonly label: string;
  /** What the agent does with the access token; its lines are the answer. */
  readonly answer: (accessToken: string) => Promise<readonly string[]>;
}

/**
 * Answers once. From the environment: AWS_REGION and AWS's credentials, WORKLOAD (the agent's workload identity),
 * USER_TOKEN (the JWT of whoever asks), SESSION_BINDING_URL (http://localhost:9090 unless said otherwise).
 */
export async function answerOnce(agent: CommandLineAgent, env: NodeJS.ProcessEnv): Promise<number> {
  const say = (text: string) => process.stdout.write(`${text}\n`);
  const { scopes, label } = agent;
  try {
    const accessToken = await connectAccount(
      {
        agentcore: new BedrockAgentCoreClient(),
        sessionBinding: createSessionBindingClient({ baseUrl: env['SESSION_BINDING_URL'] }),
        workloadName: env['WORKLOAD'] ?? '',
        provider: env['PROVIDER'] ?? agent.provider,
        scopes,
        label,
        showLink: (startUrl) => say(`Please connect your account: ${startUrl}`),
      },
      env['USER_TOKEN'] ?? '',
    );
    for (const line of await agent.answer(accessToken)) say(line);
    return 0;
  } catch (error) {
    process.stderr.write(
      `${explain(error)} (${error instanceof SessionBindingError ? error.code : String(error)})\n`,
    );
    return 1;
  }
}
