import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { OUTCOMES } from '../../src/pages/outcomes.ts';
import { systemClock } from '../../src/system.ts';
import { createMetrics } from '../../src/telemetry/metrics.ts';

const read = (name: string) => readFileSync(new URL(`../../deploy/${name}`, import.meta.url), 'utf8');
const FILES = { 'grafana-dashboard.json': dashboardQueries(), 'prometheus-alerts.yaml': alertQueries() };

/** Names that can be queried, by the metric's type. */
async function queryableNames(): Promise<ReadonlySet<string>> {
  const types = (await createMetrics(systemClock).render()).matchAll(/^# TYPE (\S+) (\S+)$/gm);
  return new Set(
    [...types].flatMap(([, name = '', type]) =>
      type === 'histogram' ? [`${name}_bucket`, `${name}_count`, `${name}_sum`] : [name],
    ),
  );
}

function dashboardQueries(): readonly string[] {
  const { panels } = JSON.parse(read('grafana-dashboard.json')) as {
    readonly panels: readonly { readonly targets: readonly { readonly expr: string }[] }[];
  };
  return panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
}

/** Of each metric of ours the labels, as they are written down where it is made. */
function labelsByMetric(): ReadonlyMap<string, readonly string[]> {
  const source = readFileSync(new URL('../../src/telemetry/metrics.ts', import.meta.url), 'utf8');
  const made = [...source.matchAll(/name: `\$\{PREFIX\}(\w+)`,[^]*?\n {2}\}\);/g)];
  return new Map(
    made.map(([text, name = '']) => [
      name,
      [...(/labelNames: \[([^\]]*)\]/.exec(text)?.[1] ?? '').matchAll(/'(\w+)'/g)].map(
        ([, label = '']) => label,
      ),
    ]),
  );
}

/** The text of the rules from each `expr:` to the next key. */
function alertQueries(): readonly string[] {
  return [...read('prometheus-alerts.yaml').matchAll(/^ {8}expr:(.*(?:\n {10}.*)*)/gm)].map(
    ([, text = '']) => text,
  );
}

describe.each(Object.entries(FILES))('deploy/%s', (_file, queries) => {
  it('asks for metrics that there are', async () => {
    expect(queries.length).toBeGreaterThan(10);
    const names = await queryableNames();
    const asked = queries.flatMap((query) => query.match(/\b(?:session_binding|nodejs|process)_\w+/g) ?? []);
    expect(asked.length).toBeGreaterThanOrEqual(queries.length);
    expect(asked.filter((name) => !names.has(name))).toEqual([]);
  });

  it('tells metrics apart by labels that they have', () => {
    const labels = labelsByMetric();
    const used = queries.flatMap((query) =>
      [...query.matchAll(/\bsession_binding_(\w+)\{([^}]*)\}/g)].flatMap(([, name = '', matchers = '']) =>
        [...matchers.matchAll(/(\w+)(?:=~|!~|!=|=)"/g)].map(([, label = '']) => [name, label] as const),
      ),
    );
    expect(used.length).toBeGreaterThan(5);
    const isKnown = ([name, label]: readonly [string, string]) =>
      label === 'job' || (labels.get(name.replace(/_(?:bucket|count|sum)$/, '')) ?? []).includes(label);
    expect(used.filter((one) => !isKnown(one))).toEqual([]);
    // What a query groups by is a label of one of its metrics; `le` is Prometheus's own, `instance` the scrape's.
    for (const query of queries) {
      const names = [...query.matchAll(/\bsession_binding_(\w+)/g)].map(([, name = '']) => name);
      const has = names.flatMap((name) => labels.get(name.replace(/_(?:bucket|count|sum)$/, '')) ?? []);
      const by = [...query.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, list = '']) => list.split(', '));
      expect(by.filter((label) => ![...has, 'le', 'instance'].includes(label))).toEqual([]);
    }
  });

  it('names outcome codes that there are', () => {
    const codes = queries
      .flatMap((query) => [...query.matchAll(/\bcode=~?"([^"]+)"/g)])
      .flatMap(([, value = '']) => value.split('|'));
    const known = [...Object.keys(OUTCOMES), 'kept', 'browser_mismatch'];
    expect(codes.filter((code) => !known.includes(code))).toEqual([]);
  });
});

describe('the dashboard and the rules together', () => {
  it('show every metric of the service', async () => {
    const text = Object.values(FILES).flat().join('\n');
    const types = (await createMetrics(systemClock).render()).matchAll(/^# TYPE (session_binding_\S+) /gm);
    expect([...types].map(([, name = '']) => name).filter((name) => !text.includes(name))).toEqual([]);
  });
});
