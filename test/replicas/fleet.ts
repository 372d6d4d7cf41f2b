import { onTestFinished } from 'vitest';
import { type RunningCommand, startCommand } from '../support/built-command.ts';
import { startSurroundings, statusOf, type Surroundings } from '../support/built-service.ts';
import { freePort } from '../support/free-port.ts';
import { startRedisForTest } from '../support/redis.ts';
import { until } from '../support/until.ts';

/** One process of several behind a load balancer that the test plays itself. */
export interface Replica {
  readonly url: string;
  /** The load balancer has taken it in. */
  isIn: boolean;
  command: RunningCommand;
}

export interface Fleet extends Surroundings {
  readonly replicas: readonly Replica[];
  /** A replica that the load balancer would choose now. */
  choose(): Replica;
  /** SIGKILL, in the middle of whatever it does, and a new process in its place. */
  crash(replica: Replica): Promise<void>;
  /** A deploy: out of the load balancer, SIGTERM, a new process in its place. Gives the exit code. */
  roll(replica: Replica): Promise<number | null>;
}

/** Three real processes of the built command on one real server. */
export async function startFleet(): Promise<Fleet> {
  const [surroundings, redis] = await Promise.all([startSurroundings(), startRedisForTest()]);
  const { env, url } = surroundings;
  surroundings.agentcore.returnUrls.add(`${url}/oauth2/callback`);
  const start = (port: number) =>
    startCommand(['serve'], {
      ...env,
      PORT: String(port),
      PUBLIC_URL: url,
      RUNTIME_ENVIRONMENT: 'local',
      SINGLE_USER: 'false',
      STORE_URL: `redis://127.0.0.1:${redis.port}`,
      DRAIN_SECONDS: '1',
      LOG_LEVEL: 'warn',
    });
  const replicas: Replica[] = [];
  for (let count = 0; count < 3; count += 1) {
    const port = await freePort();
    replicas.push({ url: `http://localhost:${port}`, isIn: false, command: start(port) });
  }
  const takeIn = async (replica: Replica) => {
    await until(`${replica.url}/ready`, async () =>
      (await statusOf(`${replica.url}/ready`)) === 200 ? true : undefined,
    );
    replica.isIn = true;
  };
  await Promise.all(replicas.map(takeIn));
  onTestFinished(() => {
    for (const { command } of replicas) command.kill('SIGKILL');
  });

  let turn = 0;
  const restart = async (replica: Replica) => {
    replica.command = start(Number(new URL(replica.url).port));
    await takeIn(replica);
  };
  return {
    ...surroundings,
    replicas,
    choose() {
      const able = replicas.filter(({ isIn }) => isIn);
      const chosen = able[(turn += 1) % able.length];
      if (chosen === undefined) throw new Error('no replica is in');
      return chosen;
    },
    async crash(replica) {
      replica.command.kill('SIGKILL');
      await replica.command.ended;
      replica.isIn = false;
      await restart(replica);
    },
    async roll(replica) {
      replica.command.kill('SIGTERM');
      // As a load balancer does: it stops choosing a replica that says it is draining.
      await until('draining', async () =>
        (await statusOf(`${replica.url}/ready`)) === 200 ? undefined : true,
      );
      replica.isIn = false;
      const { code } = await replica.command.ended;
      await restart(replica);
      return code;
    },
  };
}
