// Loaded into the service before its own modules (`node --expose-gc --import …/probe.mjs`): on each message it collects
// garbage and tells what is left. Node's own figures; of the service it touches nothing.
import { monitorEventLoopDelay } from 'node:perf_hooks';

const delay = monitorEventLoopDelay({ resolution: 10 });
delay.enable();

process.on('message', () => {
  const { max } = delay;
  // First, since the collection itself is a stall that nobody but us has ordered.
  for (let round = 0; round < 2; round += 1) globalThis.gc();
  const resources = {};
  for (const kind of process.getActiveResourcesInfo()) resources[kind] = (resources[kind] ?? 0) + 1;
  process.send({ ...process.memoryUsage(), resources, longestStallMs: max / 1e6 });
  delay.reset();
});
// Whoever started it is gone, however that came.
process.once('disconnect', () => process.exit(1));
// The service ends when its own work has ended.
process.channel?.unref();
