import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** Starts a script of this folder's neighbours in a process of its own; one question at a time. */
export async function startWorker(url) {
  const child = fork(fileURLToPath(url), { serialization: 'advanced' });
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  const ended = once(child, 'exit').then(() => {
    process.off('exit', kill);
    throw new Error(`${fileURLToPath(url)} has ended`);
  });
  ended.catch(() => undefined);
  const next = () => Promise.race([once(child, 'message').then(([message]) => message), ended]);
  const started = await next();
  return {
    /** What it said when it was ready. */
    started,
    ask(question) {
      const answer = next();
      child.send(question);
      return answer;
    },
    close() {
      child.disconnect();
      return ended.catch(() => undefined);
    },
  };
}

/** The worker's side: `answer` gets each question; it ends with the process that started it. */
export function serveWorker(started, answer) {
  process.on('message', (question) => {
    Promise.resolve(answer(question)).then(
      (result) => process.send(result),
      (error) => {
        process.stderr.write(`${error.stack}\n`);
        process.exit(1);
      },
    );
  });
  process.once('disconnect', () => process.exit(0));
  process.send(started);
}
