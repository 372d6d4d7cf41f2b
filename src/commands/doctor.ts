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

/** Beyond it tokens are refused (SB-29); AWS gives five minutes. */
const MAX_SKEW_MS = 30_000;
const BUDGET_MS = 5_000;

export const doctorCommand: Command = {
  name: 'doctor',
  summary: 'look for what is wrong around the service, and say how to mend it',
  usage: `Usage: agentcore-session-binding doctor [options]

Checks what the configuration leads to: clock, issuers and their keys, AWS credentials and region, the workload
identity and its return URLs, the store, the cookie. One line each, with the fix; exits 1 if anything fails.
  --workload <name>     also check that this workload identity allows the callback URL
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
    const { config } = loaded;
    const ask = checks(config, flags.workload);
    let failures = 0;
    const tell = ({ what, isWell, text }: Finding) => {
      if (isWell === false) failures += 1;
      io.out(`${mark(isWell)} ${what}: ${text}\n`);
    };
    for (const finding of [checkAddress(config), ...checkCookie(config)]) tell(finding);
    for (const finding of await withProgress('asking the issuers', ask.checkClockAndIssuers(), io))
      tell(finding);
    for (const finding of await withProgress('asking AWS', ask.checkAws(), io)) tell(finding);
    tell(await withProgress('asking the store', ask.checkStore(), io));
    return failures === 0 ? 0 : 1;
  },
};

const MARKS = { well: ['✓', 32], ill: ['✗', 31], unseen: ['-', 2] } as const;

function mark(isWell: boolean | undefined): string {
  const [sign, colour] = MARKS[isWell === undefined ? 'unseen' : isWell ? 'well' : 'ill'];
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
          const date = Date.parse(response.headers.get('date') ?? '');
          if (!Number.isNaN(date)) skews.push(Date.now() - date);
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
      const skewMs = Math.max(0, ...skews.map(Math.abs));
      const seconds = Math.round(skewMs / 1000);
      const clock: Finding =
        skews.length === 0
          ? { what: 'clock', isWell: undefined, text: 'nobody told the time' }
          : skewMs <= MAX_SKEW_MS
            ? { what: 'clock', isWell: true, text: `within ${Math.max(seconds, 1)} s of the issuers'` }
            : { what: 'clock', isWell: false, text: `${seconds} s off; synchronise it (NTP, chrony)` };
      return [clock, ...findings];
    },

    async checkAws(): Promise<readonly Finding[]> {
      const { createAgentCoreCompleter } = await import('../agentcore/completer.ts');
      const { region, agentcoreEndpoint } = config;
      const completer = createAgentCoreCompleter({
        region,
        ...(agentcoreEndpoint === undefined ? {} : { endpoint: agentcoreEndpoint }),
      });
      const hasCredentials = await completer.credentialsWork(BUDGET_MS);
      completer.close();
      const credentials: Finding = {
        what: 'AWS credentials',
        isWell: hasCredentials,
        text: hasCredentials ? 'found' : 'none; give the task a role, or set AWS_PROFILE',
      };
      const endpoint = agentcoreEndpoint ?? `https://bedrock-agentcore.${region}.amazonaws.com`;
      const reached = await fetch(endpoint, {
        redirect: 'manual',
        signal: AbortSignal.timeout(BUDGET_MS),
      }).then(
        () => true,
        () => false,
      );
      const regionFinding: Finding = {
        what: 'region',
        isWell: reached,
        text: reached
          ? `${region}, AgentCore answers at ${endpoint}`
          : `${endpoint} does not answer; check AWS_REGION and the way out of this network`,
      };
      return [regionFinding, credentials, await checkWorkload(config, workload)];
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

async function checkWorkload({ region, publicUrl }: Config, workload: string | undefined): Promise<Finding> {
  const what = 'return URL';
  if (workload === undefined)
    return { what, isWell: undefined, text: 'not looked at; name the agent with --workload' };
  const { createReturnUrls } = await import('../agentcore/return-urls.ts');
  const returnUrls = createReturnUrls(region);
  const answer = await returnUrls.read(workload);
  returnUrls.close();
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
