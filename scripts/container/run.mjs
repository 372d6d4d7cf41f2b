import { spawn } from 'node:child_process';

/**
 * @typedef {{ code: number, stdout: string, stderr: string }} Ended
 * @typedef {object} RunOptions
 * @property {boolean} [mayFail] Otherwise an exit code other than 0 throws, with what the command said last.
 * @property {number} [seconds] After which it is ended.
 * @property {Readonly<Record<string, string>>} [env] Beside the caller's.
 * @property {string} [cwd]
 * @property {AbortSignal} [signal]
 */

const SECONDS = 120;

/**
 * Runs a command to its end.
 *
 * @param {string} file
 * @param {readonly string[]} args
 * @param {RunOptions} options
 * @returns {Promise<Ended>}
 */
export function run(file, args, { mayFail = false, seconds = SECONDS, env = {}, cwd, signal } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: seconds * 1000,
      cwd,
      signal,
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text) => (stderr += text));
    let failure;
    child.on('error', (error) => {
      failure = error;
      if (child.pid === undefined) reject(error);
    });
    child.on('close', (code) => {
      // Not before it has ended: what is cleaned up next may still be in its hands.
      if (failure !== undefined) return reject(failure);
      if (code === 0 || (mayFail && code !== null)) return resolve({ code, stdout, stderr });
      const ending = code === null ? `was ended after at most ${seconds} s` : `exited with ${code}`;
      return reject(new Error(`${file} ${args[0]} ${ending}:\n${lastLines(stderr || stdout)}`));
    });
  });
}

/** Whether a command is there at all. */
export async function isInstalled(file) {
  return run(file, ['--version'], { mayFail: true }).then(
    () => true,
    () => false,
  );
}

function lastLines(text) {
  return text.trim().split('\n').slice(-15).join('\n');
}
