import { loadCallbackUrl } from '../env/callback-url.ts';
import type { Command } from './command.ts';
import { surroundingsOf, surveyMachine } from './machine.ts';
import { parseSettingFlags, reportProblems, SETTING_FLAGS_USAGE } from './settings.ts';

export const callbackUrlCommand: Command = {
  name: 'callback-url',
  summary: 'print the callback URL of this environment',
  usage: `Usage: agentcore-session-binding callback-url [options]

Prints the callback URL of this environment: what the workload identity must allow as a return URL.
Needs no other setting than AWS_REGION. Exits 1 where the address of a Studio space is not known, the fix on
standard error; in a container without PUBLIC_URL a warning stands there.
Options override the environment:
${SETTING_FLAGS_USAGE}`,
  async run(args, io) {
    const env = parseSettingFlags(args, io.env);
    if (env === 'help') {
      io.out(this.usage);
      return 0;
    }
    const surroundings = surroundingsOf(env);
    const loaded = loadCallbackUrl(surroundings, await surveyMachine(surroundings, ['publicUrl']));
    if (loaded.kind === 'invalid') return reportProblems(loaded.problems, io);
    io.out(`${loaded.callbackUrl}\n`);
    const notes = loaded.problem === undefined ? loaded.warnings : [loaded.problem];
    for (const note of notes) io.err(`agentcore-session-binding: ${note}\n`);
    return loaded.problem === undefined ? 0 : 1;
  },
};
