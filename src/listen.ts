import { createServer, type Server } from 'node:net';
import type { FastifyInstance } from 'fastify';
import type { Config } from './env/config.ts';

export interface Listener {
  readonly port: number;
  /** Where it listens: of several addresses, those that exist. */
  readonly hosts: readonly string[];
  /** Stops accepting; resolves when the connections that did not come through Fastify's own server have ended. */
  close(): Promise<void>;
}

/** The port cannot be listened on: the operator's to mend, so one line and no stack. */
export class ListenError extends Error {
  override readonly name = 'ListenError';
}

/**
 * Listens on every address that this machine has, all on one port. Throws {@link ListenError}, listening nowhere,
 * when one of them is taken or none exists.
 */
export async function listen(
  app: FastifyInstance,
  { listenAddresses, port }: Pick<Config, 'listenAddresses' | 'port'>,
  portVariable = 'PORT',
): Promise<Listener> {
  const hosts: string[] = [];
  const others: Server[] = [];
  const closeOthers = async () => {
    await Promise.all(others.map((server) => new Promise((resolve) => server.close(resolve))));
  };
  const boundPort = () => portOf(app.server) ?? port;
  let missing: ListenError | undefined;
  for (const host of listenAddresses) {
    try {
      // Fastify refuses to listen twice; its own `localhost` believes the hosts file, and says nothing when another
      // program holds the port on ::1, which is where a browser may then take its cookies.
      if (hosts.length === 0) await app.listen({ host, port });
      else others.push(await listenToo(app, host, boundPort()));
      hosts.push(host);
    } catch (error) {
      const problem = problemOf(error, host, boundPort(), portVariable);
      if (problem.kind === 'missing') {
        missing = problem.error;
        continue;
      }
      await Promise.all([closeOthers(), app.close()]);
      throw problem.error;
    }
  }
  if (hosts.length === 0) {
    await app.close();
    throw missing ?? new ListenError('there is no address to listen on: set HOST');
  }
  return { port: boundPort(), hosts, close: closeOthers };
}

/**
 * A second door to the same HTTP server, which thus counts, times out and closes these connections as its own
 * (https://nodejs.org/api/http.html#event-connection).
 */
function listenToo(app: FastifyInstance, host: string, port: number): Promise<Server> {
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    app.server.emit('connection', socket);
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, () => resolve(server));
  });
}

type Problem =
  | { readonly kind: 'missing'; readonly error: ListenError }
  | { readonly kind: 'fatal'; readonly error: unknown };

function problemOf(error: unknown, host: string, port: number, portVariable: string): Problem {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  switch (code) {
    case 'EADDRNOTAVAIL':
    case 'EAFNOSUPPORT':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return { kind: 'missing', error: new ListenError(`${host} is no address of this machine: set HOST`) };
    case 'EADDRINUSE':
      return {
        kind: 'fatal',
        error: new ListenError(`port ${port} on ${host} is taken: set ${portVariable} to another one`),
      };
    case 'EACCES':
      return {
        kind: 'fatal',
        error: new ListenError(`port ${port} on ${host} needs more privileges: set ${portVariable}`),
      };
    default:
      return { kind: 'fatal', error };
  }
}

function portOf(server: Server): number | undefined {
  const address = server.address();
  return typeof address === 'object' ? address?.port : undefined;
}
