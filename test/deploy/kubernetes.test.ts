import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { loadDeployed, SECRETS } from './deployed-settings.ts';
import { IMAGE, IN_FLIGHT_SECONDS } from './image.ts';
import { readDeployFile } from './templates.ts';

const FILES = readdirSync(new URL('../../deploy/kubernetes/', import.meta.url));
const read = (name: string): unknown => parse(readDeployFile(`kubernetes/${name}`), { strict: true });

interface Labels {
  readonly app: string;
}

interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string };
}

interface Deployment {
  readonly spec: {
    readonly selector: { readonly matchLabels: Labels };
    readonly template: {
      readonly metadata: { readonly labels: Labels };
      readonly spec: {
        readonly serviceAccountName: string;
        readonly automountServiceAccountToken: boolean;
        readonly enableServiceLinks: boolean;
        readonly terminationGracePeriodSeconds: number;
        readonly securityContext: unknown;
        readonly containers: readonly [
          {
            readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
            readonly env: readonly { readonly name: string; readonly value: string }[];
            readonly volumeMounts: readonly [
              { readonly name: string; readonly mountPath: string; readonly readOnly: boolean },
            ];
            readonly securityContext: unknown;
            readonly startupProbe: Probe;
            readonly livenessProbe: Probe;
            readonly readinessProbe: Probe;
          },
        ];
        readonly volumes: readonly [
          {
            readonly name: string;
            readonly secret: { readonly secretName: string; readonly defaultMode: number };
          },
        ];
      };
    };
  };
}

interface Ports {
  readonly ports: readonly { readonly port: string | number }[];
}

interface NetworkPolicy {
  readonly spec: {
    readonly podSelector: { readonly matchLabels: Labels };
    readonly policyTypes: readonly string[];
    readonly ingress: readonly (Ports & { readonly from?: readonly unknown[] })[];
    readonly egress: readonly (Ports & { readonly to?: readonly unknown[] })[];
  };
}

const { spec } = read('deployment.yaml') as Deployment;
const pod = spec.template.spec;
const [container] = pod.containers;
const [mount] = container.volumeMounts;
const [volume] = pod.volumes;

/** What the operator has put into the Secret, by file. */
const FILES_OF_THE_SECRET = {
  [`${mount.mountPath}/session-secret`]: SECRETS.SESSION_SECRET,
  [`${mount.mountPath}/store-url`]: SECRETS.STORE_URL,
};

describe('deploy/kubernetes', () => {
  it('gives the service settings that start without a warning; secrets only by reference [SB-16]', () => {
    const env = Object.fromEntries(container.env.map(({ name, value }) => [name, value]));
    const { config, warnings } = loadDeployed(env, FILES_OF_THE_SECRET);
    expect(warnings).toEqual([]);
    expect(config).toMatchObject({
      singleUser: false,
      port: IMAGE.port,
      publicUrl: 'https://binding.example.com',
    });
    expect(container.ports).toEqual([
      { name: 'binding', containerPort: IMAGE.port },
      { name: 'metrics', containerPort: config.metricsPort },
    ]);
    expect(mount).toMatchObject({ name: volume.name, readOnly: true });
    expect(volume.secret).toEqual({ secretName: 'session-binding', defaultMode: 0o440 });
    // Nothing of the kind Secret: what is in it never stands in a file of a repository.
    expect(FILES.filter((name) => (read(name) as { readonly kind: string }).kind === 'Secret')).toEqual([]);
    expect(
      FILES.flatMap((name) => readDeployFile(`kubernetes/${name}`).match(/rediss?:\/\/\S+/g) ?? []),
    ).toEqual([]);
  });

  it('waits longer for the end than the service takes to drain and finish', () => {
    const drainSeconds = Number(container.env.find(({ name }) => name === 'DRAIN_SECONDS')?.value);
    expect(pod.terminationGracePeriodSeconds).toBeGreaterThan(drainSeconds + IN_FLIGHT_SECONDS);
  });

  it('runs the image as it is meant to: its user, read-only, without capabilities or a token [SB-27]', () => {
    expect(pod.securityContext).toEqual({
      runAsNonRoot: true,
      runAsUser: IMAGE.uid,
      runAsGroup: IMAGE.gid,
      fsGroup: IMAGE.gid,
      seccompProfile: { type: 'RuntimeDefault' },
    });
    expect(container.securityContext).toEqual({
      readOnlyRootFilesystem: true,
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
    });
    expect(pod.automountServiceAccountToken).toBe(false);
    expect(pod.enableServiceLinks).toBe(false);
    expect(pod.serviceAccountName).toBe((read('service-account.yaml') as Named).metadata.name);
  });

  it('asks /ping whether it lives, and /ready whether it wants traffic', () => {
    const { startupProbe, livenessProbe, readinessProbe } = container;
    expect([startupProbe, livenessProbe, readinessProbe].map(({ httpGet }) => httpGet)).toEqual([
      { path: '/ping', port: 'binding' },
      { path: '/ping', port: 'binding' },
      { path: '/ready', port: 'binding' },
    ]);
  });

  it('means the same pods everywhere', () => {
    const { labels } = spec.template.metadata;
    const { spec: service } = read('service.yaml') as {
      spec: { selector: Labels; ports: readonly { targetPort: string }[] };
    };
    const { spec: budget } = read('pod-disruption-budget.yaml') as Pick<Deployment, 'spec'>;
    const { spec: policy } = read('network-policy.yaml') as NetworkPolicy;
    const selectors = [
      spec.selector.matchLabels,
      service.selector,
      budget.selector.matchLabels,
      policy.podSelector.matchLabels,
    ];
    expect(selectors).toEqual(selectors.map(() => labels));
    // Metrics are for the pods' neighbours, and not behind the Service that an ingress serves.
    expect(service.ports.map(({ targetPort }) => targetPort)).toEqual(['binding']);
  });

  it('lets in whom it names, and out to DNS, https, Pod Identity and the store', () => {
    const { spec: policy } = read('network-policy.yaml') as NetworkPolicy;
    expect(policy.policyTypes).toEqual(['Ingress', 'Egress']);
    expect(policy.ingress.map(({ from, ports }) => [from?.length, ports.map(({ port }) => port)])).toEqual([
      [1, ['binding']],
      [1, ['metrics']],
    ]);
    expect(policy.egress.map(({ to, ports }) => [to?.length, ports.map(({ port }) => port)])).toEqual([
      [1, [53, 53]],
      [undefined, [443]],
      [1, [80]],
      [1, [6379]],
    ]);
  });

  it('is applied whole by kustomize', () => {
    const { resources } = read('kustomization.yaml') as { readonly resources: readonly string[] };
    expect(resources.toSorted()).toEqual(FILES.filter((name) => name !== 'kustomization.yaml').toSorted());
  });
});

interface Named {
  readonly metadata: { readonly name: string };
}
