import { readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { text } from 'node:stream/consumers';
import { Secret } from '../binding/secret.ts';
import { parseBaseUrl } from '../env/parse-urls.ts';
import { isLoopbackHost } from '../env/loopback.ts';
import { SETTINGS } from '../env/settings.ts';
import { isSet, readSetting } from '../env/variables.ts';
import { signInAtCognito } from './cognito-token.ts';
import { type Command, type CommandIo, type Environment, parseFlags, UsageError } from './command.ts';
import { askHidden } from './hidden-prompt.ts';
import { surroundingsOf } from './machine.ts';
import { withProgress } from './progress.ts';
import { localServiceUrl } from './service-url.ts';

const BUDGET_MS = 15_000;

export const tokenCommand: Command = {
  name: 'token',
  summary: 'post a user token to the service, and print the sign-in link',
  usage: `Usage: agentcore-session-binding token <source> [options]

Posts the user token with which you invoke the agent to the service on this machine, and prints the link that signs a
browser in. A token or a password is never an argument: those stand in the history and in the list of processes.
Sources
  -                     standard input
  --file <path>         a file
  --username <name>     a Cognito user; the password is asked for and not shown
Options
  --client-id <id>      the user pool's client (default: the only one of JWT_ALLOWED_CLIENTS)
  --region <region>     of the user pool (default: that of JWT_DISCOVERY_URL, else AWS_REGION)
  --port <number>       PORT of the service
COGNITO_CLIENT_SECRET or COGNITO_CLIENT_SECRET_FILE: the client's secret, where it has one.

Examples
  agentcore-session-binding token --username testuser --client-id 1h57kf5cpq17m0eml12EXAMPLE
  get-my-token | agentcore-session-binding token -
`,
  async run(args, io) {
    const isStandardInput = args.includes('-');
    const options = args.filter((arg) => arg !== '-');
    const flags = parseFlags(options, ['file', 'username', 'client-id', 'region', 'port']);
    if (flags === 'help') {
      io.out(this.usage);
      return 0;
    }
    const sources = [isStandardInput || undefined, flags.file, flags.username].filter(
      (one) => one !== undefined,
    );
    if (sources.length !== 1) throw new UsageError('name one source: -, --file or --username');
    const env = {
      ...io.env,
      ...(flags.region === undefined ? {} : { AWS_REGION: flags.region, AWS_REGION_FILE: undefined }),
      ...(flags.port === undefined ? {} : { PORT: flags.port, PORT_FILE: undefined }),
    };
    const surroundings = surroundingsOf(env);
    const [host, port] = [readSetting(SETTINGS.host, surroundings), readSetting(SETTINGS.port, surroundings)];
    const [problem] = [port, host].flatMap((reading) => (reading.kind === 'wrong' ? reading.problems : []));
    if (problem !== undefined) throw new UsageError(problem);
    const url = localServiceUrl(host, port);
    // Shells and build systems use that variable for names of their own, and the token would go there in the clear.
    if (!isThisMachine(new URL(url).hostname)) {
      throw new UsageError('HOST names another machine; this command posts to the service of this one');
    }

    const userToken =
      flags.username !== undefined
        ? await fromCognito(flags.username, flags['client-id'], flags.region !== undefined, env, io)
        : await fromText(flags.file);
    if (typeof userToken === 'string') {
      io.err(`agentcore-session-binding: ${userToken}\n`);
      return 1;
    }
    return post(`${url}/userIdentifier/token`, userToken, io);
  },
};

function isThisMachine(hostname: string): boolean {
  const address = hostname.replace(/^\[|\]$/g, '');
  const own = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return isLoopbackHost(hostname) || own.some((one) => one.address === address);
}

/** The token, or why there is none. */
async function fromText(file: string | undefined): Promise<Secret | string> {
  let content: string;
  try {
    content = file === undefined ? await text(process.stdin) : readFileSync(file, 'utf8');
  } catch {
    return 'the file cannot be read';
  }
  const userToken = content.trim();
  return userToken === '' ? 'there is no user token in it' : new Secret(userToken);
}

async function fromCognito(
  username: string,
  clientFlag: string | undefined,
  isRegionSaid: boolean,
  env: Environment,
  io: CommandIo,
): Promise<Secret | string> {
  const surroundings = surroundingsOf(env);
  const clients = readSetting(SETTINGS.allowedClients, surroundings);
  const only = clients.kind === 'value' && clients.value.length === 1 ? clients.value[0] : undefined;
  const clientId = clientFlag ?? only;
  if (clientId === undefined) throw new UsageError("--client-id is required: the user pool's client");
  const endpoint = cognitoEndpoint(env, isRegionSaid);
  const clientSecret = readSetting(CLIENT_SECRET, surroundings);
  if (clientSecret.kind === 'wrong') throw new UsageError(clientSecret.problems.join('; '));

  if (!process.stdin.isTTY) {
    return 'the password is asked for at a terminal, and there is none; pipe a user token to `token -` instead';
  }
  const password = await askHidden(`Password of ${username}: `, process.stdin, io.err);
  if (password === undefined) return 'nothing was posted';
  const answer = await withProgress(
    'asking Cognito',
    signInAtCognito({
      endpoint,
      clientId,
      clientSecret: clientSecret.kind === 'value' ? clientSecret.value : undefined,
      username,
      password,
    }),
    io,
  );
  return answer.kind === 'signed_in' ? answer.userToken : answer.problem;
}

const CLIENT_SECRET = { ...SETTINGS.loginClientSecret, names: ['COGNITO_CLIENT_SECRET'] as const };

/** The SDK's own variable, where it is set: https, loopback excepted, since the password goes there (SB-28). */
function cognitoEndpoint(env: Environment, isRegionSaid: boolean): string {
  const name = 'AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER';
  if (isSet(name, env)) {
    const url = parseBaseUrl(env[name] ?? '');
    if (url.kind === 'wrong') throw new UsageError(`${name}: ${url.problems.join('; ')}`);
    return `${url.value}/`;
  }
  const discoveryUrls = readSetting(SETTINGS.discoveryUrls, surroundingsOf(env));
  const pool = /^https:\/\/(cognito-idp\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?)\//.exec(
    discoveryUrls.kind === 'value' ? (discoveryUrls.value[0] ?? '') : '',
  );
  if (pool !== null && !isRegionSaid) return `https://${pool[1]}/`;
  const region = readSetting(SETTINGS.region, surroundingsOf(env));
  if (region.kind !== 'value') throw new UsageError('--region is required: that of the user pool');
  const suffix = region.value.startsWith('cn-') ? '.cn' : '';
  return `https://cognito-idp.${region.value}.amazonaws.com${suffix}/`;
}

async function post(url: string, userToken: Secret, io: CommandIo): Promise<number> {
  const answer = await withProgress('asking the service', send(url, userToken), io);
  if (answer === undefined) {
    io.err(`agentcore-session-binding: ${url} does not answer; start the service first\n`);
    return 1;
  }
  const { status, body } = answer;
  if (status !== 200) {
    io.err(`agentcore-session-binding: ${refusalIn(body, status)}\n`);
    return 1;
  }
  const link = stringIn(body, 'sign_in_url')?.slice(0, 500);
  const until = wordsIn(body, 'expires_at') ?? '';
  if (link === undefined) {
    io.err(
      `The user token is kept until ${until}. This service signs nobody in by a link, since it has several users.\n`,
    );
    return 0;
  }
  io.err(
    `The user token is kept until ${until}. Within ten minutes, open this link in your browser, once:\n`,
  );
  io.out(`${link}\n`);
  return 0;
}

async function send(url: string, userToken: Secret) {
  try {
    const response = await fetch(url, {
      method: 'POST',
      redirect: 'error',
      signal: AbortSignal.timeout(BUDGET_MS),
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify({ user_token: userToken.reveal() }),
    });
    const body: unknown = await response.json();
    return { status: response.status, body };
  } catch {
    return undefined;
  }
}

/** One line: the code, what the problem document says, and by which id the service's log has it. */
function refusalIn(body: unknown, status: number): string {
  const said = [wordsIn(body, 'title'), wordsIn(body, 'detail')].filter((words) => words !== undefined);
  const id = wordsIn(body, 'request_id');
  const reference = id === undefined ? '' : ` (request ${id} in the service's log)`;
  return `${wordsIn(body, 'code') ?? status}: ${said.join('. ') || 'the service refused'}${reference}`;
}

/** Whoever has that port may say back what he was told: no word of ours is as long as a part of a token (SB-16). */
function wordsIn(value: unknown, key: string): string | undefined {
  // Cut last: a part of a token that the cut had left over would be short enough to be a word.
  return stringIn(value, key)
    ?.replaceAll(/[\w-]{40,}/g, '…')
    .slice(0, 500);
}

/** For a terminal: without control characters, those that turn the direction of writing among them. */
function stringIn(value: unknown, key: string): string | undefined {
  const found: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
  return typeof found === 'string' ? found.replaceAll(/[\p{Cc}\p{Cf}]/gu, '') : undefined;
}
