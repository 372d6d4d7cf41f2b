import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { startBuiltService, startSurroundings } from '../support/built-service.ts';
import { startCommand } from '../support/built-command.ts';
import { freePort } from '../support/free-port.ts';

describe('METRICS_PORT', () => {
  it('serves the metrics there, and nothing else; the public port never has them [SB-28]', async () => {
    const port = await freePort();
    const { url } = await startBuiltService({ METRICS_PORT: String(port) });
    const metricsUrl = `http://localhost:${port}`;

    const answer = await fetch(`${metricsUrl}/metrics`);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toContain('text/plain');
    const text = await answer.text();
    expect(text).toContain('session_binding_key_fetch_duration_seconds_count{source="issuer",result="ok"}');
    expect(text).toContain('session_binding_open_flows 0\n');

    expect((await fetch(`${url}/metrics`)).status).toBe(404);
    for (const path of ['/ping', '/oauth2/callback', '/userIdentifier/token', '/%']) {
      const elsewhere = await fetch(`${metricsUrl}${path}?canary`);
      expect([path, elsewhere.status, (await elsewhere.text()).includes('canary')]).toEqual([
        path,
        path === '/%' ? 400 : 404,
        false,
      ]);
    }
  });

  it('that is taken ends the start in one line', async () => {
    const { env, agentcore } = await startSurroundings();
    const METRICS_PORT = new URL(agentcore.endpoint).port;
    const { code, stderr } = await startCommand(['serve'], { ...env, METRICS_PORT }).ended;
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^agentcore-session-binding: port \d+ on \S+ is taken: set METRICS_PORT to another one\n$/,
    );
  });

  it('alone makes the service load the library', () => {
    const root = fileURLToPath(new URL('../../src/', import.meta.url));
    const users = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter(
      (path) =>
        path.endsWith('.ts') &&
        /from 'prom-client'|import \{[^}]*\} from '[^']*telemetry\/metrics\.ts'/.test(
          readFileSync(`${root}/${path}`, 'utf8'),
        ),
    );
    expect(users).toEqual(['telemetry/metrics.ts']);
  });
});
