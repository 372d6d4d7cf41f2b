#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { callbackUrlCommand } from './commands/callback-url.ts';
import { checkCommand } from './commands/check.ts';
import { type Command, type CommandIo, UsageError } from './commands/command.ts';
import { demoCommand } from './commands/demo.ts';
import { doctorCommand } from './commands/doctor.ts';
import { iamCommand } from './commands/iam.ts';
import { registerCommand } from './commands/register.ts';
import { serveCommand } from './commands/serve.ts';
import { tokenCommand } from './commands/token.ts';
import { waitCommand } from './commands/wait.ts';

const COMMANDS: readonly Command[] = [
  serveCommand,
  checkCommand,
  callbackUrlCommand,
  waitCommand,
  tokenCommand,
  registerCommand,
  doctorCommand,
  iamCommand,
  demoCommand,
];

const USAGE = `Usage: agentcore-session-binding <command> [options]

Finishes AgentCore Identity's OAuth consents in the browser of the user who started them, and in no other.

Commands
${COMMANDS.map(({ name, summary }) => `  ${name.padEnd(14)}${summary}\n`).join('')}
Options
  --help        this text, or a command's own
  --version     the version

Configuration comes from environment variables; \`check\` lists them. Exit code 78: the configuration is wrong.
`;

/** Runs one command and gives its exit code. */
async function main(argv: readonly string[], io: CommandIo): Promise<number> {
  const [name, ...args] = argv;
  const command = COMMANDS.find((candidate) => candidate.name === name);
  if (command !== undefined) return command.run(args, io);
  switch (name) {
    case '--version':
      io.out(`${readVersion()}\n`);
      return 0;
    case '--help':
    case '-h':
      io.out(USAGE);
      return 0;
    case undefined:
      io.err(USAGE);
      return 2;
    default:
      throw new UsageError(`unknown command: ${JSON.stringify(name)}`);
  }
}

function readVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  return typeof manifest === 'object' && manifest !== null && 'version' in manifest
    ? String(manifest.version)
    : '';
}

// Whoever read the output or the log has gone. Node would throw a stack at the terminal, and a service whose audit
// events reach nobody must not go on.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => process.exit(1));

const io: CommandIo = {
  env: process.env,
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
};

main(process.argv.slice(2), io).then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    const text = error instanceof UsageError ? `${error.message}; see --help` : `unexpected ${String(error)}`;
    io.err(`agentcore-session-binding: ${text}\n`);
    process.exitCode = error instanceof UsageError ? 2 : 1;
  },
);
