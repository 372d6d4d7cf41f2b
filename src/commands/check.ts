import { renderReport } from '../env/report.ts';
import type { Command } from './command.ts';
import { load, parseSettingFlags, reportProblems, SETTING_FLAGS_USAGE } from './settings.ts';

export const checkCommand: Command = {
  name: 'check',
  summary: 'validate the configuration and print the effective settings, secrets masked',
  usage: `Usage: agentcore-session-binding check [options]

Validates the configuration and prints the effective settings, secrets masked, and warnings.
Exits 0, or 78 with every problem on a line of its own. Options override the environment:
${SETTING_FLAGS_USAGE}`,
  async run(args, io) {
    const env = parseSettingFlags(args, io.env);
    if (env === 'help') {
      io.out(this.usage);
      return 0;
    }
    const loaded = await load(env);
    if (loaded.kind === 'invalid') return reportProblems(loaded.problems, io);
    io.out(renderReport(loaded));
    return 0;
  },
};
