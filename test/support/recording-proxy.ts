import { createServer, type IncomingHttpHeaders, request as send } from 'node:http';
import { listenForTest } from './listen-for-test.ts';

/** Passes requests on, and keeps their headers. */
export interface RecordingProxy {
  readonly url: string;
  readonly requests: readonly { readonly path: string; readonly headers: IncomingHttpHeaders }[];
  forwardTo(target: string): void;
}

/** `answerHeaders`: instead of those that came. */
export async function startRecordingProxy(
  answerHeaders: Readonly<Record<string, string>> = {},
): Promise<RecordingProxy> {
  const requests: { path: string; headers: IncomingHttpHeaders }[] = [];
  let target = '';
  const server = createServer((request, response) => {
    const { method, url: path = '', headers } = request;
    requests.push({ path, headers });
    const onward = send(`${target}${path}`, { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, { ...answer.headers, ...answerHeaders });
      answer.pipe(response);
    });
    request.pipe(onward);
  });
  const url = await listenForTest(server);
  return { url, requests, forwardTo: (to) => (target = to) };
}
