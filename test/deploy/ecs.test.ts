import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { iamCommand } from '../../src/commands/iam.ts';
import type { Config } from '../../src/env/config.ts';
import { SETTINGS } from '../../src/env/settings.ts';
import { OUTCOMES } from '../../src/pages/outcomes.ts';
import { blocksIn } from '../docs/blocks.ts';
import { documentedAcl } from '../store/documented-acl.ts';
import { runInProcess } from '../support/run-in-process.ts';
import { loadDeployed, SECRETS } from './deployed-settings.ts';
import { IMAGE, IN_FLIGHT_SECONDS } from './image.ts';
import { fillIn, readTemplate, referencesIn, type Resource, type Template } from './templates.ts';

const NAMES = readdirSync(new URL('../../deploy/', import.meta.url)).filter((name) =>
  name.startsWith('ecs-'),
);
const TEMPLATES: ReadonlyMap<string, Template> = new Map(NAMES.map((name) => [name, readTemplate(name)]));
const SERVICES = ['ecs-alb.yaml', 'ecs-sidecar.yaml'];

const ALB_ARN =
  'arn:aws:elasticloadbalancing:eu-central-1:111122223333:loadbalancer/app/agents/50dc6c495c0c9188';

/** What an operator fills in, and what AWS makes. */
const VALUES = {
  'AWS::Region': 'eu-central-1',
  'AWS::AccountId': '111122223333',
  'AWS::Partition': 'aws',
  'AWS::StackName': 'session-binding',
  HostName: 'binding.example.com',
  AppOrigin: 'https://app.example.com',
  DiscoveryUrl:
    'https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbCdEfGhI/.well-known/openid-configuration',
  AllowedClients: '1h57kf5cpq17m0eml12EXAMPLE',
  UserIdentifier: 'token',
  OidcClientId: '5k3v9c2example0balancer',
  PublicSubnetCidrs: '10.0.1.0/24,10.0.2.0/24',
  LoadBalancerSubnetCidrs: '10.0.1.0/24,10.0.2.0/24',
  LoadBalancer: ALB_ARN,
  WorkloadName: 'my_agent-AbCdEfGhIj',
  ProviderName: 'github',
  SessionSecretArn: 'arn:of:the-session-secret',
  StoreUrlSecretArn: 'arn:of:the-store-url',
};

interface Container {
  readonly Name: string;
  readonly User: string;
  readonly ReadonlyRootFilesystem: boolean;
  readonly LinuxParameters: unknown;
  readonly PortMappings: readonly { readonly ContainerPort: number }[];
  readonly Environment: readonly { readonly Name: string; readonly Value: unknown }[];
  readonly Secrets: readonly { readonly Name: string; readonly ValueFrom: unknown }[];
  readonly HealthCheck: { readonly Command: readonly string[] };
  readonly StopTimeout: number;
}

interface Rule {
  readonly Conditions: readonly { readonly PathPatternConfig?: { readonly Values: readonly string[] } }[];
  readonly Actions: readonly {
    readonly Type: string;
    readonly AuthenticateOidcConfig?: { readonly SessionTimeout?: number };
  }[];
}

interface Ingress {
  readonly FromPort: unknown;
  readonly CidrIp?: string;
  readonly SourceSecurityGroupId?: unknown;
}

function template(name: string): Template {
  const found = TEMPLATES.get(name);
  if (found === undefined) throw new Error(`no template ${name}`);
  return found;
}

function ofType(name: string, type: string): readonly Resource[] {
  return Object.values(template(name).Resources).filter(({ Type }) => Type === type);
}

function propertiesOf(name: string, resource: string): unknown {
  return template(name).Resources[resource]?.Properties;
}

/** The container of this service, and its neighbours. */
function containersOf(name: string): readonly [binding: Container, neighbours: readonly Container[]] {
  const { ContainerDefinitions: all } = propertiesOf(name, 'TaskDefinition') as {
    readonly ContainerDefinitions: readonly Container[];
  };
  const binding = all.find(({ Name }) => Name === 'session-binding');
  if (binding === undefined) throw new Error(`${name} has no container of ours`);
  return [binding, all.filter((container) => container !== binding)];
}

function loadOf(name: string, values: Readonly<Record<string, string>> = {}): Config {
  const [binding] = containersOf(name);
  const env = Object.fromEntries(
    binding.Environment.map(({ Name, Value }) => [Name, String(fillIn(Value, { ...VALUES, ...values }))]),
  );
  const { config, warnings } = loadDeployed({ ...env, ...SECRETS });
  expect(warnings).toEqual([]);
  return config;
}

describe.each(NAMES)('deploy/%s', (name) => {
  const { Parameters, Resources, Outputs = {} } = template(name);

  it('refers only to parameters and resources that it has, and uses every parameter', () => {
    const used = new Set([
      ...referencesIn(Resources),
      ...referencesIn(Outputs),
      ...Object.values(Resources).flatMap(({ DependsOn = [] }) => DependsOn),
    ]);
    const own = [...Object.keys(Parameters), ...Object.keys(Resources)];
    expect([...used].filter((found) => !found.startsWith('AWS::') && !own.includes(found))).toEqual([]);
    expect(Object.keys(Parameters).filter((parameter) => !used.has(parameter))).toEqual([]);
  });

  it('holds no secret, and takes none as a parameter: only where it is kept [SB-16]', () => {
    expect(Object.keys(Parameters).filter((parameter) => /secret|password/i.test(parameter))).toEqual(
      Object.keys(Parameters).filter((parameter) => parameter.endsWith('SecretArn')),
    );
    const text = JSON.stringify(Resources);
    for (const [, value = ''] of text.matchAll(
      /"(?:ClientSecret|SecretString|Passwords)":(\[?\{.*?\}\]?)/g,
    )) {
      expect(value).toContain('{{resolve:secretsmanager:');
    }
  });

  it('describes security groups in the letters that EC2 takes', () => {
    // https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSecurityGroup.html: an apostrophe fails the stack.
    for (const { Properties = {} } of ofType(name, 'AWS::EC2::SecurityGroup')) {
      expect(Properties['GroupDescription']).toMatch(/^[a-zA-Z0-9. _\-:/()#,@[\]+=&;{}!$*]{1,255}$/);
    }
  });

  it('lets the world in nowhere but at the https listener', () => {
    const open = Object.values(Resources).flatMap(({ Properties }) =>
      ((Properties?.['SecurityGroupIngress'] ?? []) as readonly Ingress[]).filter(
        ({ CidrIp, SourceSecurityGroupId }) => CidrIp !== undefined || SourceSecurityGroupId === undefined,
      ),
    );
    expect(open.filter(({ FromPort }) => FromPort !== 443)).toEqual([]);
  });
});

describe.each(SERVICES)('the service of deploy/%s', (name) => {
  const [binding, neighbours] = containersOf(name);

  it('is given settings that start without a warning', () => {
    expect(loadOf(name)).toMatchObject({
      region: 'eu-central-1',
      publicUrl: 'https://binding.example.com',
      trustedProxies: ['10.0.1.0/24', '10.0.2.0/24'],
      singleUser: false,
      drainSeconds: 10,
    });
  });

  it('reads secrets from Secrets Manager, each by its own ARN and none in plain text [SB-16]', () => {
    expect(binding.Secrets).toEqual([
      { Name: 'SESSION_SECRET', ValueFrom: { Ref: 'SessionSecretArn' } },
      { Name: 'STORE_URL', ValueFrom: { Ref: 'StoreUrlSecretArn' } },
    ]);
    const secret = Object.values(SETTINGS).flatMap((setting) => (setting.secret ? setting.names : []));
    const plain = [binding, ...neighbours].flatMap(({ Environment }) => Environment.map(({ Name }) => Name));
    expect(plain.filter((found) => secret.includes(found) || found === 'STORE_URL')).toEqual([]);
    // The role that starts the task may read these two, and the task itself neither.
    const [policy] = (propertiesOf(name, 'ExecutionRole') as { readonly Policies: readonly unknown[] })
      .Policies;
    expect(policy).toMatchObject({
      PolicyDocument: { Statement: [{ Resource: binding.Secrets.map(({ ValueFrom }) => ValueFrom) }] },
    });
  });

  it('may do what `iam` prints, and nothing else [SB-27]', async () => {
    const args = ['--workload', VALUES.WorkloadName, '--provider', VALUES.ProviderName];
    const { code, stdout } = await runInProcess(iamCommand, args, {
      AWS_REGION: VALUES['AWS::Region'],
      AWS_ACCOUNT_ID: VALUES['AWS::AccountId'],
    });
    expect(code).toBe(0);
    const { Policies } = propertiesOf(name, 'TaskRole') as {
      readonly Policies: readonly { readonly PolicyDocument: unknown }[];
    };
    expect(Policies.map(({ PolicyDocument }) => fillIn(PolicyDocument, VALUES))).toEqual([
      JSON.parse(stdout),
    ]);
  });

  it('runs as the image is meant to: its user, read-only, without capabilities, with its health check [SB-27]', () => {
    expect(binding).toMatchObject({
      User: `${IMAGE.uid}:${IMAGE.gid}`,
      ReadonlyRootFilesystem: true,
      LinuxParameters: { Capabilities: { Drop: ['ALL'] } },
      PortMappings: [{ ContainerPort: IMAGE.port }],
      HealthCheck: { Command: ['CMD', ...IMAGE.healthCheck] },
    });
    expect(IMAGE.port).toBe(SETTINGS.port.whenUnset.value);
  });

  it('is waited for longer than it takes to drain and finish', () => {
    expect(binding.StopTimeout).toBeGreaterThan(loadOf(name).drainSeconds + IN_FLIGHT_SECONDS);
  });

  it('gets traffic while /ready says 200, at its port, from the load balancer alone [SB-20]', () => {
    expect(propertiesOf(name, 'TargetGroup')).toMatchObject({
      TargetType: 'ip',
      Port: IMAGE.port,
      HealthCheckPath: '/ready',
      Matcher: { HttpCode: '200' },
    });
    const { SecurityGroupIngress: ingress } = propertiesOf(name, 'TaskSecurityGroup') as {
      readonly SecurityGroupIngress: readonly Ingress[];
    };
    const loadBalancer =
      name === 'ecs-alb.yaml' ? 'LoadBalancerSecurityGroup' : 'LoadBalancerSecurityGroupId';
    expect(ingress.map(({ SourceSecurityGroupId }) => SourceSecurityGroupId)).toEqual(
      ingress.map(() => ({ Ref: loadBalancer })),
    );
    expect(propertiesOf(name, 'LoadBalancerToTasks')).toMatchObject({ ToPort: IMAGE.port });
    expect(propertiesOf(name, 'Service')).toMatchObject({
      LoadBalancers: expect.arrayContaining([
        {
          ContainerName: 'session-binding',
          ContainerPort: IMAGE.port,
          TargetGroupArn: { Ref: 'TargetGroup' },
        },
      ]),
      NetworkConfiguration: {
        AwsvpcConfiguration: {
          SecurityGroups: [{ Ref: 'TaskSecurityGroup' }, { Ref: 'StoreClientsSecurityGroupId' }],
        },
      },
    });
  });

  it('is reached by every path that browsers and programs use, and by no other', () => {
    const patterns = ofType(name, 'AWS::ElasticLoadBalancingV2::ListenerRule').flatMap(({ Properties }) =>
      pathsOf(Properties as unknown as Rule),
    );
    const isForwarded = (path: string) => patterns.some((pattern) => matches(pattern, path));
    const used = ['/oauth2/start', '/oauth2/callback', '/userIdentifier/token', '/authorizations/urn%3Ax'];
    const forPeople = ['/sign-in', '/sign-out'];
    expect([...used, ...forPeople].filter((path) => !isForwarded(path))).toEqual([]);
    expect(['/ping', '/ready', '/metrics', '/'].filter(isForwarded)).toEqual([]);
  });

  it('has a browser signed in again when a browser session of the service would be over', () => {
    const timeouts = ofType(name, 'AWS::ElasticLoadBalancingV2::ListenerRule')
      .flatMap(({ Properties }) => (Properties as unknown as Rule).Actions)
      .filter(({ Type }) => Type === 'authenticate-oidc')
      .map(({ AuthenticateOidcConfig }) => AuthenticateOidcConfig?.SessionTimeout);
    expect(timeouts).toEqual(name === 'ecs-alb.yaml' ? [SETTINGS.sessionTtlSeconds.whenUnset.value] : []);
  });

  it('gives the alarms what they ask for, and takes what the store’s template gives', () => {
    const given = Object.keys(template(name).Outputs ?? {});
    const asked = Object.keys(template('ecs-alarms.yaml').Parameters).filter(
      (parameter) => parameter !== 'TopicArn',
    );
    expect(asked.filter((parameter) => !given.includes(parameter))).toEqual([]);
    const taken = Object.keys(template(name).Parameters);
    expect(
      Object.keys(template('ecs-store.yaml').Outputs ?? {}).filter((output) => !taken.includes(output)),
    ).toEqual([]);
  });
});

it('the parameters of docs/guides/ecs.md are those of deploy/ecs-alb.yaml that have no default', () => {
  const [block] = blocksIn('json').filter(({ file }) => file === 'docs/guides/ecs.md');
  const given = (JSON.parse(block?.text ?? '') as string[]).map((line) => line.split('=', 1)[0]);
  const { Parameters } = readTemplate('ecs-alb.yaml');
  const needed = Object.entries(Parameters).filter(([, { Default }]) => Default === undefined);
  expect(new Set(given)).toEqual(new Set(needed.map(([name]) => name)));
});

describe('the load balancer of deploy/ecs-alb.yaml', () => {
  const rules = ofType('ecs-alb.yaml', 'AWS::ElasticLoadBalancingV2::ListenerRule').map(
    ({ Properties }) => Properties as unknown as Rule,
  );
  const isSignedIn = (path: string) =>
    rules
      .filter((rule) => pathsOf(rule).some((pattern) => matches(pattern, path)))
      .map(({ Actions }) => Actions.map(({ Type }) => Type).join(', '));

  it.each(['/oauth2/start', '/oauth2/callback', '/sign-in', '/sign-out'])(
    'signs people in before %s',
    (path) => {
      expect(isSignedIn(path)).toEqual(['authenticate-oidc, forward']);
    },
  );

  it.each(['/userIdentifier/token', '/authorizations/urn%3Ax'])(
    'asks no program to sign in before %s',
    (path) => {
      expect(isSignedIn(path)).toEqual(['forward']);
    },
  );

  it.each(['token', 'id'])(
    'is what says who somebody is; AgentCore is given the user’s %s',
    (userIdentifier) => {
      expect(loadOf('ecs-alb.yaml', { UserIdentifier: userIdentifier })).toMatchObject({
        loadBalancer: { arn: ALB_ARN, clientId: VALUES.OidcClientId },
        userIdentifier,
        login: undefined,
      });
    },
  );

  it('closes idle connections before the service does', () => {
    const { LoadBalancerAttributes } = propertiesOf('ecs-alb.yaml', 'LoadBalancer') as {
      readonly LoadBalancerAttributes: readonly { readonly Key: string; readonly Value: string }[];
    };
    const seconds = LoadBalancerAttributes.find(({ Key }) => Key === 'idle_timeout.timeout_seconds')?.Value;
    // Longer than the longest question for a status, shorter than the service's own 75 seconds.
    expect(Number(seconds)).toBeGreaterThan(25);
    expect(Number(seconds)).toBeLessThan(75);
  });
});

describe('deploy/ecs-store.yaml', () => {
  it('makes the user of docs/storage.md, and a server that refuses when it is full [SB-22]', () => {
    const [name, ...rules] = documentedAcl();
    const { UserName, AccessString } = propertiesOf('ecs-store.yaml', 'StoreUser') as {
      readonly UserName: string;
      readonly AccessString: string;
    };
    // ElastiCache takes the password elsewhere, and starts from a user without keys.
    const expected = rules.filter((rule) => !rule.startsWith('>') && rule !== 'resetkeys');
    expect([UserName, AccessString.split(' ')]).toEqual([name, expected]);
    expect(propertiesOf('ecs-store.yaml', 'StoreParameters')).toMatchObject({
      Properties: { 'maxmemory-policy': 'noeviction' },
    });
    expect(propertiesOf('ecs-store.yaml', 'Store')).toMatchObject({
      TransitEncryptionEnabled: true,
      UserGroupIds: [{ Ref: 'StoreUsers' }],
      CacheParameterGroupName: { Ref: 'StoreParameters' },
    });
  });

  it('makes a STORE_URL and a SESSION_SECRET that the service takes', () => {
    const url = fillIn(
      (propertiesOf('ecs-store.yaml', 'StoreUrl') as { readonly SecretString: unknown }).SecretString,
      {
        StorePassword: 'arn:of:the-password',
        'Store.PrimaryEndPoint.Address': 'master.binding.abc.euc1.cache.amazonaws.com',
        'Store.PrimaryEndPoint.Port': '6379',
      },
    );
    // Secrets Manager without punctuation: letters and digits.
    const generated = 'aB3dE5gH7jK9mN1pQ2sT4vW6yZ8bC0dF2gH4jK6mN8pQ1sT3vW5yZ7bC9dF1gH3j';
    const storeUrl = String(url).replace('{{resolve:secretsmanager:arn:of:the-password}}', generated);
    expect(storeUrl).toBe(
      `rediss://session-binding:${generated}@master.binding.abc.euc1.cache.amazonaws.com:6379`,
    );
    const [binding] = containersOf('ecs-alb.yaml');
    const env = binding.Environment.map(({ Name, Value }) => [Name, String(fillIn(Value, VALUES))] as const);
    const { warnings } = loadDeployed({
      ...Object.fromEntries(env),
      SESSION_SECRET: generated,
      STORE_URL: storeUrl,
    });
    expect(warnings).toEqual([]);
  });
});

describe('deploy/ecs-alarms.yaml', () => {
  const filters = ofType('ecs-alarms.yaml', 'AWS::Logs::MetricFilter');
  const alarms = ofType('ecs-alarms.yaml', 'AWS::CloudWatch::Alarm');

  it('looks in the log for codes and events that there are', () => {
    const patterns = filters.map(({ Properties }) => String(Properties?.['FilterPattern']));
    const said = patterns.flatMap((pattern) => [...pattern.matchAll(/\$\.(code|event) = "([^"]+)"/g)]);
    const codes = said.flatMap(([, field, value = '']) => (field === 'code' ? [value] : []));
    expect(codes.length).toBeGreaterThan(5);
    expect(codes.filter((code) => !Object.hasOwn(OUTCOMES, code))).toEqual([]);
    const events = said.flatMap(([, field, value = '']) => (field === 'event' ? [value] : []));
    expect(events.toSorted()).toEqual(['record_lost', 'record_unreadable']);
  });

  it('watches every metric that it makes, and tells somebody', () => {
    const made = filters.flatMap(({ Properties }) =>
      ((Properties?.['MetricTransformations'] ?? []) as readonly { readonly MetricName: string }[]).map(
        ({ MetricName }) => MetricName,
      ),
    );
    const watched = alarms
      .filter(({ Properties }) => Properties?.['Namespace'] !== 'AWS/ApplicationELB')
      .map(({ Properties }) => String(Properties?.['MetricName']));
    expect(watched.toSorted()).toEqual(made.toSorted());
    for (const { Properties } of alarms) expect(Properties?.['AlarmActions']).toEqual([{ Ref: 'TopicArn' }]);
  });
});

function pathsOf({ Conditions }: Rule): readonly string[] {
  return Conditions.flatMap(({ PathPatternConfig }) => PathPatternConfig?.Values ?? []);
}

/** As the load balancer compares paths: `*` is anything. */
function matches(pattern: string, path: string): boolean {
  return pattern.endsWith('*') ? path.startsWith(pattern.slice(0, -1)) : path === pattern;
}
