import type { ReturnUrlsAnswer } from '../agentcore/return-urls.ts';
import { browserSessionCookie } from '../session/cookie.ts';
import type { Config } from '../env/config.ts';
import { guessSameSite } from '../env/same-site.ts';
import { systemClock, systemRandomness } from '../system.ts';
import { type Command, parseFlags } from './command.ts';
import { withProgress } from './progress.ts';
import { load, overrideSettings, reportProblems, SETTING_FLAGS, SETTING_FLAGS_USAGE } from './settings.ts';

interface Finding {
  readonly what: string;
  /** Undefined: not looked at. */
  readonly isWell: boolean | undefined;
  /** What was found, and where it is not well what to do. */
  readonly text: string;
}

/** Beyond it tokens are refused (SB-29); AWS gives five minutes, and claims of replicas far less. */
const MAX_SKEW_MS = 30_000;
const BUDGET_MS = 5_000;

export const doctorCommand: Command = {
  name: 'doctor',
  summary: 'look for what is wrong around the service, and say how to mend it',
  usage: `Usage: agentcore-session-binding doctor [options]

Checks what the configuration leads to: clock, issuers and their keys, AWS credentials and region, the workload
identity and its return URLs, the store, the cookie. One line each, with the fix; exits 1 if anything fails.
Warnings of the configuration come first, as the command check has them.
  --workload <name>     also check that this workload identity allows the callback URL, and that AWS accepts the
                        credentials: it is read, with GetWorkloadIdentity
Options override the environment:
${SETTING_FLAGS_USAGE}
Example
  agentcore-session-binding doctor --workload my_agent-AbCdEfGhIj
`,
  async run(args, io) {
    const flags = parseFlags(args, [...SETTING_FLAGS, 'workload']);
    if (flags === 'help') {
      io.out(this.usage);
      return 0;
    }
    const loaded = await load(overrideSettings(flags, io.env));
    if (loaded.kind === 'invalid') return reportProblems(loaded.problems, io);
    // A paragraph about Node versions in the middle of the report; `serve` still says it.
    process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';
    const { config } = loaded;
    const ask = checks(config, flags.workload);
    let failures = 0;
    const tell = ({ what, isWell, text }: Finding) => {
      if (isWell === false) failures += 1;
      // An issuer may call itself what moves the cursor of a terminal, or looks like a line of ours.
      io.out(`${mark(isWell)} ${what}: ${text.replaceAll(/[\p{Cc}\p{Cf}]/gu, '')}\n`);
    };
    for (const warning of loaded.warnings) io.out(`${paint('warning')} ${warning}\n`);
    for (const finding of [checkAddress(config), ...checkCookie(config)]) tell(finding);
    for (const finding of await withProgress('asking the issuers', ask.checkClockAndIssuers(), io))
      tell(finding);
    for (const finding of await withProgress('asking AWS', ask.checkAws(), io)) tell(finding);
    tell(await withProgress('asking the store', ask.checkStore(), io));
    return failures === 0 ? 0 : 1;
  },
};

const MARKS = { well: ['✓', 32], ill: ['✗', 31], unseen: ['-', 2], warning: ['!', 33] } as const;

function mark(isWell: boolean | undefined): string {
  return paint(isWell === undefined ? 'unseen' : isWell ? 'well' : 'ill');
}

function paint(kind: keyof typeof MARKS): string {
  const [sign, colour] = MARKS[kind];
  return process.stdout.isTTY ? `\u001b[${colour}m${sign}\u001b[0m` : sign;
}

function checkAddress({ publicUrl, publicUrlProblem }: Config): Finding {
  const text = publicUrlProblem ?? `${publicUrl}, callback URL ${publicUrl}/oauth2/callback`;
  return { what: 'public URL', isWell: publicUrlProblem === undefined, text };
}

function checkCookie({ publicUrl, allowedOrigins }: Config): readonly Finding[] {
  const { name, secure } = browserSessionCookie(publicUrl);
  const foreign = allowedOrigins.filter((origin) => guessSameSite(origin, publicUrl) === 'different');
  return [
    {
      what: 'cookie',
      isWell: foreign.length === 0,
      text:
        foreign.length === 0
          ? `${name}${secure ? ', Secure' : ', for http on loopback'}`
          : `browsers drop it on the POSTs of ${foreign.join(' and ')}, another site than ${publicUrl}; serve both below one domain`,
    },
  ];
}

function checks(config: Config, workload: string | undefined) {
  return {
    async checkClockAndIssuers(): Promise<readonly Finding[]> {
      // It loads a library of cryptography: no other command waits for it.
      const [{ fetchIssuerDocument }, { IssuerFault }] = await Promise.all([
        import('../issuer/issuer-document.ts'),
        import('../issuer/issuer-fault.ts'),
      ]);
      const skews: number[] = [];
      const findings: Finding[] = [];
      for (const discoveryUrl of config.discoveryUrls) {
        let requests = 0;
        const watched: typeof fetch = async (input, init) => {
          requests += 1;
          const response = await fetch(input, init);
          const skewMs = skewOf(response);
          if (skewMs !== undefined) skews.push(skewMs);
          return response;
        };
        const options = {
          discoveryUrl,
          clock: systemClock,
          fetch: watched,
          fetchTimeoutMs: BUDGET_MS,
          maxBytes: 256 * 1024,
        };
        try {
          const { issuer, keys } = await fetchIssuerDocument(options);
          findings.push({ what: 'discovery', isWell: true, text: issuer });
          findings.push({ what: 'keys', isWell: true, text: `${keys.length} usable of ${issuer}` });
        } catch (error) {
          if (!(error instanceof IssuerFault)) throw error;
          const what = requests > 1 ? 'keys' : 'discovery';
          const text = `${discoveryUrl}: ${error.reason}; check JWT_DISCOVERY_URL, and that this machine reaches it`;
          findings.push({ what, isWell: false, text });
        }
      }
      if (config.discoveryUrls.length === 0) {
        findings.push({
          what: 'discovery',
          isWell: undefined,
          text: 'Cognito pools are recognised by their URL',
        });
      }
      return [judgeClock('clock', skews, 'the issuers'), ...findings];
    },

    async checkAws(): Promise<readonly Finding[]> {
      const [answer, hasCredentials, looked] = await Promise.all([
        askEndpoint(config),
        findCredentials(config),
        lookUp(config, workload),
      ]);
      const { region } = config;
      const endpoint = endpointOf(config);
      const regionFinding: Finding = {
        what: 'region',
        isWell: answer !== undefined,
        text:
          answer === undefined
            ? `${endpoint} does not answer; check AWS_REGION and the way out of this network`
            : `${region}, AgentCore answers at ${endpoint}`,
      };
      const clock = judgeClock('clock of AWS', answer?.skewMs === undefined ? [] : [answer.skewMs], 'AWS');
      const credentials = judgeCredentials(hasCredentials, looked);
      return [clock, regionFinding, credentials, judgeWorkload(config, looked, credentials)];
    },

    async checkStore(): Promise<Finding> {
      const { shown } = config.storeUrl;
      if (config.storeUrl.kind === 'memory') return { what: 'store', isWell: true, text: shown };
      const { createStore } = await import('../store/create-store.ts');
      let reason = 'no answer';
      const store = await createStore(config.storeUrl, {
        sessionSecrets: config.sessionSecrets,
        clock: systemClock,
        randomness: systemRandomness,
        onFault: (fault) => (reason = fault),
        onUnreadable: () => undefined,
      });
      const deadlineMs = performance.now() + BUDGET_MS;
      let works = await store.works();
      while (!works && performance.now() < deadlineMs) {
        await systemClock.sleep(100);
        works = await store.works();
      }
      await store.close();
      const text = works
        ? `${shown} answers and takes records`
        : `${shown}: ${reason}; check STORE_URL, its password and the network`;
      return { what: 'store', isWell: works, text };
    },
  };
}

/** Of the differences the largest counts, in either direction (SB-29). */
function judgeClock(what: string, skews: readonly number[], whose: string): Finding {
  if (skews.length === 0) return { what, isWell: undefined, text: 'nobody told the time' };
  const seconds = Math.max(1, Math.round(Math.max(...skews.map(Math.abs)) / 1000));
  return seconds * 1000 <= MAX_SKEW_MS
    ? { what, isWell: true, text: `within ${seconds} s of that of ${whose}` }
    : { what, isWell: false, text: `${seconds} s off that of ${whose}; synchronise it (NTP, chrony)` };
}

function skewOf({ headers }: Response): number | undefined {
  const dateMs = Date.parse(headers.get('date') ?? '');
  return Number.isNaN(dateMs) ? undefined : Date.now() - dateMs;
}

function endpointOf({ region, agentcoreEndpoint }: Config): string {
  return agentcoreEndpoint ?? `https://bedrock-agentcore.${region}.amazonaws.com`;
}

/** Undefined: no answer. Any answer at all shows the way there, and the time. */
async function askEndpoint(config: Config): Promise<{ readonly skewMs: number | undefined } | undefined> {
  try {
    const signal = AbortSignal.timeout(BUDGET_MS);
    return { skewMs: skewOf(await fetch(endpointOf(config), { redirect: 'manual', signal })) };
  } catch {
    return undefined;
  }
}

async function findCredentials({ region }: Config): Promise<boolean> {
  const { createAgentCoreCompleter } = await import('../agentcore/completer.ts');
  const completer = createAgentCoreCompleter({ region });
  const hasCredentials = await completer.credentialsWork(BUDGET_MS);
  completer.close();
  return hasCredentials;
}

type LookedUp =
  | { readonly kind: 'not_tried' }
  | {
      readonly kind: 'tried';
      readonly workload: string;
      readonly answer: ReturnUrlsAnswer;
      readonly refusesCredentials: boolean;
    };

/** One read that changes nothing, signed with the credentials: what AWS makes of those is seen, too. */
async function lookUp({ region }: Config, workload: string | undefined): Promise<LookedUp> {
  if (workload === undefined) return { kind: 'not_tried' };
  const [{ createReturnUrls }, { refusesCredentials }] = await Promise.all([
    import('../agentcore/return-urls.ts'),
    import('../agentcore/refusals.ts'),
  ]);
  const returnUrls = createReturnUrls(region);
  const answer = await returnUrls.read(workload);
  returnUrls.close();
  const isRefused = answer.kind === 'failed' && refusesCredentials(answer.reason);
  return { kind: 'tried', workload, answer, refusesCredentials: isRefused };
}

/** AWS has looked past the signature: what it says is about what was asked. */
const ACCEPTED = ['AccessDeniedException', 'ResourceNotFoundException', 'ValidationException'];

function judgeCredentials(areFound: boolean, looked: LookedUp): Finding {
  const what = 'AWS credentials';
  if (!areFound) return { what, isWell: false, text: 'none; give the task a role, or set AWS_PROFILE' };
  if (looked.kind === 'not_tried')
    return { what, isWell: undefined, text: 'found, but not tried; name the agent with --workload' };
  const { answer } = looked;
  if (answer.kind === 'urls' || ACCEPTED.includes(answer.reason))
    return { what, isWell: true, text: 'AWS accepts them' };
  return looked.refusesCredentials
    ? { what, isWell: false, text: `AWS refuses them: ${answer.reason}; renew them, and check the clock` }
    : {
        what,
        isWell: undefined,
        text: `found, but AWS did not say whether it accepts them: ${answer.reason}`,
      };
}

function judgeWorkload({ publicUrl }: Config, looked: LookedUp, credentials: Finding): Finding {
  const what = 'return URL';
  if (credentials.isWell === false)
    return { what, isWell: undefined, text: 'not looked at; first the AWS credentials' };
  if (looked.kind === 'not_tried')
    return { what, isWell: undefined, text: 'not looked at; name the agent with --workload' };
  const { workload, answer } = looked;
  if (answer.kind === 'failed') {
    const text = `${workload} cannot be read: ${answer.reason}; its name is the id of the runtime or gateway, and reading it needs bedrock-agentcore:GetWorkloadIdentity`;
    return { what: 'workload identity', isWell: false, text };
  }
  const url = `${publicUrl}/oauth2/callback`;
  const isAllowed = answer.urls.includes(url);
  const text = isAllowed
    ? `${workload} allows ${url}`
    : `${workload} does not allow ${url}; run register --workload ${workload}`;
  return { what, isWell: isAllowed, text };
}
