import { subscribe } from 'node:diagnostics_channel';
import { complainAbout } from '../../test/support/complain-about.mjs';

/**
 * Holds what this process is answered at that port (by `node:http`: what the scripted browser is shown) to
 * docs/openapi.json.
 *
 * @param {number} port
 * @returns {{ count: number, undescribed: Set<string> }} of the answers so far
 */
export function holdAnswers(port) {
  const held = { count: 0, undescribed: new Set() };
  subscribe('http.client.response.finish', ({ request, response }) => {
    if (response.socket.remotePort !== port) return;
    const { method, path: url } = request;
    const { statusCode: status, headers } = response;
    const chunks = [];
    // The scripted browser listens at once, too: nothing is taken from it.
    response.on('data', (chunk) => chunks.push(chunk));
    response.on('end', () => {
      held.count += 1;
      const complaint = complainAbout({
        method,
        url,
        status,
        headers,
        body: Buffer.concat(chunks).toString(),
      });
      if (complaint !== undefined)
        held.undescribed.add(`${method} ${url.split('?')[0]} ${status}: ${complaint}`);
    });
  });
  return held;
}
