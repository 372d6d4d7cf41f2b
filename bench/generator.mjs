import { connect } from 'node:net';

const END_OF_HEADERS = Buffer.from('\r\n\r\n');

/**
 * A closed loop: each connection sends its next request when it has read the answer. Written on bare sockets, because
 * on two cores whoever measures must cost little.
 * @param {object} options
 * @param {readonly number[]} options.ports connections are dealt out to them in turn
 * @param {number} options.connections
 * @param {number} options.milliseconds for which new requests are sent
 * @param {() => string} options.nextRequest the next request, as it goes over the wire
 * @returns {Promise<{ latenciesMs: number[], statuses: Record<string, number>, elapsedMs: number }>} latencies of 200
 */
export async function generate({ ports, connections, milliseconds, nextRequest }) {
  const latenciesMs = [];
  const statuses = {};
  const startedMs = performance.now();
  const untilMs = startedMs + milliseconds;
  await Promise.all(Array.from({ length: connections }, (_, index) => converse(ports[index % ports.length])));
  return { latenciesMs, statuses, elapsedMs: performance.now() - startedMs };

  function converse(port) {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true });
      let sentMs = 0;
      let read = Buffer.alloc(0);
      const ask = () => {
        sentMs = performance.now();
        if (sentMs >= untilMs) {
          socket.destroy();
          return resolve();
        }
        socket.write(nextRequest());
      };
      socket.on('connect', ask);
      socket.on('error', reject);
      socket.on('data', (chunk) => {
        read = read.length === 0 ? chunk : Buffer.concat([read, chunk]);
        const end = read.indexOf(END_OF_HEADERS);
        if (end < 0) return;
        const head = read.toString('latin1', 0, end);
        const length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1]);
        if (!(read.length >= end + 4 + length)) return;
        read = read.subarray(end + 4 + length);
        const status = head.slice(9, 12);
        statuses[status] = (statuses[status] ?? 0) + 1;
        if (status === '200') latenciesMs.push(performance.now() - sentMs);
        ask();
      });
      socket.on('close', () => resolve());
    });
  }
}

/** A value of a sorted list: `at` 0.5 is the median. */
export function percentile(sorted, at) {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * at))];
}

export function median(numbers) {
  return percentile(
    numbers.toSorted((a, b) => a - b),
    0.5,
  );
}
