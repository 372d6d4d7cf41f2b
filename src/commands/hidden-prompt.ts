import type { ReadStream } from 'node:tty';
import { Secret } from '../binding/secret.ts';

/** Asks at the terminal and shows nothing of what is typed; undefined after Ctrl+C or Ctrl+D. */
export function askHidden(
  question: string,
  terminal: ReadStream,
  show: (text: string) => void,
): Promise<Secret | undefined> {
  // Node's line editor would echo. First, since whoever sees the question may answer at once.
  terminal.setRawMode(true);
  show(question);
  terminal.setEncoding('utf8');
  return new Promise((resolve) => {
    let typed = '';
    const end = (answer: Secret | undefined) => {
      terminal.off('data', read);
      terminal.setRawMode(false);
      terminal.pause();
      show('\n');
      resolve(answer);
    };
    const read = (text: string) => {
      for (const key of text) {
        if (key === '\r' || key === '\n') return end(new Secret(typed));
        if (key === '\u0003' || key === '\u0004') return end(undefined);
        typed = key === '\u007f' || key === '\b' ? typed.slice(0, -1) : typed + key;
      }
    };
    terminal.on('data', read);
    terminal.resume();
  });
}
