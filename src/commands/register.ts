import { setTimeout as sleep } from 'node:timers/promises';
import { loadCallbackUrl } from '../env/callback-url.ts';
import { SETTINGS } from '../env/settings.ts';
import { readSetting } from '../env/variables.ts';
import { type Command, parseFlags, UsageError } from './command.ts';
import { surroundingsOf, surveyMachine } from './machine.ts';
import { withProgress } from './progress.ts';
import { overrideSettings, reportProblems, SETTING_FLAGS, SETTING_FLAGS_USAGE } from './settings.ts';

const RETRY_MS = 200;

/** What to do about a failure, by AWS's exception. */
const FIXES: ReadonlyMap<string, string> = new Map([
  [
    'ResourceNotFoundException',
    'there is none of that name in this region; for Runtime and Gateway it is their id',
  ],
  [
    'AccessDeniedException',
    'allow bedrock-agentcore:GetWorkloadIdentity and bedrock-agentcore:UpdateWorkloadIdentity to these credentials',
  ],
  ['CredentialsProviderError', 'there are no AWS credentials; sign in with the AWS CLI, or set AWS_PROFILE'],
]);

export const registerCommand: Command = {
  name: 'register',
  summary: "add the callback URL to a workload identity's allowed return URLs",
  usage: `Usage: agentcore-session-binding register --workload <name> [options]

Adds the callback URL of this environment to the return URLs that a workload identity allows. Those that are there
stay; a second run changes nothing. Needs bedrock-agentcore:GetWorkloadIdentity and UpdateWorkloadIdentity: the
operator's, never the service's own.
  --workload <name>     the workload identity: the id of the runtime or gateway
  --dry-run             say what would be written, and write nothing
Options override the environment:
${SETTING_FLAGS_USAGE}
Example
  agentcore-session-binding register --workload my_agent-AbCdEfGhIj --public-url https://binding.example.com
`,
  async run(args, io) {
    const flags = parseFlags(args, [...SETTING_FLAGS, 'workload'], { switches: ['dry-run'] });
    if (flags === 'help') {
      io.out(this.usage);
      return 0;
    }
    const { workload } = flags;
    if (workload === undefined)
      throw new UsageError('--workload is required: the id of the runtime or gateway');
    if (!/^[A-Za-z0-9_.-]{3,255}$/.test(workload)) {
      throw new UsageError('--workload: no workload identity can have that name');
    }
    const surroundings = surroundingsOf(overrideSettings(flags, io.env));
    const loaded = loadCallbackUrl(surroundings, await surveyMachine(surroundings, ['publicUrl']));
    const region = readSetting(SETTINGS.region, surroundings);
    if (loaded.kind === 'invalid') return reportProblems(loaded.problems, io);
    if (region.kind !== 'value') throw new TypeError('a region is required');
    if (loaded.problem !== undefined) {
      io.err(`agentcore-session-binding: ${loaded.problem}\n`);
      return 1;
    }
    for (const warning of loaded.warnings) io.err(`agentcore-session-binding: ${warning}\n`);

    // The SDK takes its time to load: no other command waits for it.
    const { createReturnUrls, registerReturnUrl } = await import('../agentcore/return-urls.ts');
    const returnUrls = createReturnUrls(region.value);
    const { callbackUrl } = loaded;
    try {
      const pause = () => sleep(RETRY_MS * (0.5 + Math.random()));
      const registration = await withProgress(
        `asking AgentCore about ${workload}`,
        registerReturnUrl(workload, callbackUrl, { returnUrls, dryRun: flags['dry-run'], pause }),
        io,
      );
      switch (registration.kind) {
        case 'already':
          io.out(`${callbackUrl} is allowed already\n`);
          return 0;
        case 'registered':
        case 'would_register':
          io.out(
            `${callbackUrl} ${registration.kind === 'registered' ? 'is allowed now' : 'would be added'}; all of them:\n${registration.urls.map((url) => `  ${url}\n`).join('')}`,
          );
          return 0;
        case 'contended':
          io.err('agentcore-session-binding: somebody else keeps writing these return URLs; try again\n');
          return 1;
        case 'failed': {
          const { step, reason } = registration;
          const fix = FIXES.get(reason);
          io.err(
            `agentcore-session-binding: the workload identity cannot be ${step === 'read' ? 'read' : 'changed'}: ${reason}${fix === undefined ? '' : `; ${fix}`}\n`,
          );
          return 1;
        }
      }
    } finally {
      returnUrls.close();
    }
  },
};
