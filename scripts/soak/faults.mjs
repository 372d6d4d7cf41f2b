/** What can go wrong with each part; undefined is nothing. */
const OF_AGENTCORE = [
  undefined,
  { slowMs: 300 },
  { slowMs: 2_500 },
  'throttled',
  'internal_error',
  'reset',
  'reset_after_binding',
  'truncated',
  'no_request_id',
  'html_503',
  'html_200',
  'hang',
];
const OF_REDIS = [undefined, undefined, 'pause', 'kill'];
const OF_ISSUER = [undefined, undefined, 'down', 'hang', 'status_500', 'html'];

/** Lets something go wrong for `ms`; everything works again when it resolves. `say` hears what it is. */
export async function play({ agentcore, issuer, redis }, ms, random, say) {
  const completion = random.of(OF_AGENTCORE);
  const store = random.of(OF_REDIS);
  const keys = random.of(OF_ISSUER);
  const parts = [
    completion && `AgentCore ${typeof completion === 'string' ? completion : `${completion.slowMs} ms`}`,
    store && `Redis ${store}`,
    keys && `issuer ${keys}`,
  ].filter(Boolean);
  say(parts.length === 0 ? 'nothing' : parts.join(', '));

  if (completion !== undefined) agentcore.faults.inject(completion);
  if (keys !== undefined) issuer.faults = { mode: keys };
  const over = new Promise((resolve) => setTimeout(resolve, ms));
  await new Promise((resolve) => setTimeout(resolve, (ms / 3) * random.next()));
  const outageMs = Math.min(ms / 2, 500 + 3_000 * random.next());
  if (store === 'pause') await redis.pause(Math.round(outageMs));
  if (store === 'kill') {
    await redis.kill();
    await new Promise((resolve) => setTimeout(resolve, outageMs));
    await redis.start();
  }
  await over;
  agentcore.faults.clear();
  issuer.faults = {};
}
