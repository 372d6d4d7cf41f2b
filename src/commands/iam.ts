import { SETTINGS } from '../env/settings.ts';
import { readSetting } from '../env/variables.ts';
import { createBindingPolicy } from '../agentcore/binding-policy.ts';
import { type Command, parseFlags, UsageError } from './command.ts';
import { surroundingsOf } from './machine.ts';
import { reportProblems } from './settings.ts';

/** Names of AWS's: anything else, a `*` above all, would widen the policy without a word. */
const WORKLOAD = /^[A-Za-z0-9_.-]{3,255}$/;
const PROVIDER = /^[A-Za-z0-9_-]{1,128}$/;
const ACCOUNT = /^[0-9]{12}$/;

export const iamCommand: Command = {
  name: 'iam',
  summary: 'print the least-privilege IAM policy',
  usage: `Usage: agentcore-session-binding iam --workload <name> --provider <name> [options]

Prints the IAM policy for the role of this service: it may finish consents for these agents and these providers, and
nothing else. AWS is not called.
  --workload <name>     workload identity of an agent: the id of the runtime or gateway; may be repeated
  --provider <name>     OAuth2 credential provider; may be repeated
  --account <id>        AWS_ACCOUNT_ID, of 12 digits
  --region <region>     AWS_REGION

Examples
  agentcore-session-binding iam --account 111122223333 --workload my_agent-AbCdEfGhIj --provider github
  agentcore-session-binding iam --account "$(aws sts get-caller-identity --query Account --output text)" \\
    --workload my_agent-AbCdEfGhIj --provider github --provider google > policy.json
`,
  async run(args, io) {
    const flags = parseFlags(args, ['account', 'region'], { lists: ['workload', 'provider'] });
    if (flags === 'help') {
      io.out(this.usage);
      return 0;
    }
    const workloads = namesOf('--workload', 'the id of the runtime or gateway', flags.workload, WORKLOAD);
    const providers = namesOf('--provider', 'an OAuth2 credential provider', flags.provider, PROVIDER);
    const accountId = flags.account ?? io.env['AWS_ACCOUNT_ID'] ?? '';
    if (!ACCOUNT.test(accountId)) {
      throw new UsageError(
        '--account (or AWS_ACCOUNT_ID) must be the 12 digits that aws sts get-caller-identity shows',
      );
    }
    const env = flags.region === undefined ? io.env : { AWS_REGION: flags.region };
    const region = readSetting(SETTINGS.region, surroundingsOf(env));
    if (region.kind === 'wrong') return reportProblems(region.problems, io);
    if (region.kind === 'unset') throw new TypeError('a region is required');
    const policy = createBindingPolicy({ region: region.value, accountId, workloads, providers });
    io.out(`${JSON.stringify(policy, null, 2)}\n`);
    return 0;
  },
};

function namesOf(
  flag: string,
  meaning: string,
  names: readonly string[],
  pattern: RegExp,
): readonly string[] {
  if (names.length === 0) throw new UsageError(`${flag} is required: ${meaning}`);
  if (!names.every((name) => pattern.test(name))) {
    throw new UsageError(`${flag} must be ${meaning}, by its whole name, without wildcard`);
  }
  return [...new Set(names)];
}
