import type { Secret } from '../binding/secret.ts';
import { isLoopbackHost } from './loopback.ts';
import type { Readings } from './readings.ts';
import { parseResourceMetadata } from './resource-metadata.ts';
import { type RuntimeEnvironmentName, SETTINGS } from './settings.ts';
import { isSet, type Surroundings } from './variables.ts';

/** What only the machine can say. Gathered by the commands, so that everything that follows from it is pure. */
export interface Machine {
  /** The text of SageMaker's resource metadata; undefined where there is none to read. */
  readonly resourceMetadata: string | undefined;
  /** Whether `/.dockerenv` exists. */
  readonly hasDockerenv: boolean;
  /** What AWS says of the Studio space, where it was asked. */
  readonly space: StudioSpace | undefined;
  /** Made for this start: `SESSION_SECRET`, where a single user sets none. */
  readonly randomSecret: Secret;
}

export type MachineFacts = Pick<Machine, 'resourceMetadata' | 'hasDockerenv'>;

/** The answer to DescribeSpace. */
export type StudioSpace =
  /** `url`: https, without trailing slash. */
  | { readonly kind: 'described'; readonly url: string; readonly isShared: boolean }
  /** `reason`: a few words, none of them AWS's. `isShared` where at least that was said. */
  | { readonly kind: 'unknown'; readonly reason: string; readonly isShared?: boolean };

/** Where the service runs, and what follows from it (contract §9). The cookie follows from `publicUrl` in turn. */
export interface RuntimeEnvironment {
  readonly name: RuntimeEnvironmentName;
  readonly listenAddresses: readonly string[];
  /** Without trailing slash, with its path prefix. */
  readonly publicUrl: string;
  /** Why `publicUrl` is one that the user's browser will not reach, and the fix; else undefined. */
  readonly publicUrlProblem: string | undefined;
  readonly singleUser: boolean;
  /** Who else may reach a service that signs in with a click: why single-user is no default here (SB-28). */
  readonly exposures: readonly string[];
  /** In Studio, where AWS did not say whether other people use the space. */
  readonly isSharingUnknown: boolean;
}

/** Both, each where it exists: browsers may prefer either, and another program on the one left out would be us. */
const LOCALHOST = ['127.0.0.1', '::1'] as const;

const RULES = {
  sagemaker: { listenAddresses: ['0.0.0.0'], singleUser: true },
  container: { listenAddresses: ['0.0.0.0'], singleUser: false },
  local: { listenAddresses: LOCALHOST, singleUser: true },
} satisfies Record<
  RuntimeEnvironmentName,
  { readonly listenAddresses: readonly string[]; readonly singleUser: boolean }
>;

const CONTAINER_MARKERS = ['ECS_CONTAINER_METADATA_URI_V4', 'KUBERNETES_SERVICE_HOST', 'DOCKER_CONTAINER'];

export function decideRuntimeEnvironment(
  readings: Readings,
  env: Surroundings['env'],
  machine: Machine,
): RuntimeEnvironment {
  const name = detectEnvironment(readings, env, machine);
  const listenAddresses = decideListenAddresses(readings, name);
  const { publicUrl, publicUrlProblem } = decidePublicUrl(readings, name, machine);
  const exposures = [
    ...findExposures(name, listenAddresses, publicUrl, machine),
    ...(readings.albArn.kind === 'unset'
      ? []
      : ['ALB_ARN names a load balancer, which says who each user is']),
  ];
  const singleUser =
    readings.singleUser.kind === 'value'
      ? readings.singleUser.value
      : RULES[name].singleUser && exposures.length === 0;
  // What somebody has said needs no answer of AWS's.
  const isSharingUnknown =
    name === 'sagemaker' &&
    readings.singleUser.kind === 'unset' &&
    machine.space?.kind !== 'described' &&
    machine.space?.isShared === undefined;
  return { name, listenAddresses, publicUrl, publicUrlProblem, singleUser, exposures, isSharingUnknown };
}

/** Studio first: it is itself a container. */
export function detectEnvironment(
  { environment }: Pick<Readings, 'environment'>,
  env: Surroundings['env'],
  { resourceMetadata, hasDockerenv }: MachineFacts,
): RuntimeEnvironmentName {
  if (environment.kind === 'value') return environment.value;
  if (parseResourceMetadata(resourceMetadata) !== undefined) return 'sagemaker';
  return hasDockerenv || CONTAINER_MARKERS.some((marker) => isSet(marker, env)) ? 'container' : 'local';
}

function decideListenAddresses(
  { host }: Pick<Readings, 'host'>,
  name: RuntimeEnvironmentName,
): readonly string[] {
  if (host.kind !== 'value') return RULES[name].listenAddresses;
  // The hosts file may give one of the two, or none.
  return host.value === 'localhost' ? LOCALHOST : [host.value];
}

/** What is said wins; else what AWS says of the Studio space; else this machine. */
export function decidePublicUrl(
  readings: Pick<Readings, 'publicUrl' | 'port'>,
  name: RuntimeEnvironmentName,
  { space }: Pick<Machine, 'space'>,
): Pick<RuntimeEnvironment, 'publicUrl' | 'publicUrlProblem'> {
  if (readings.publicUrl.kind === 'value') {
    return { publicUrl: readings.publicUrl.value, publicUrlProblem: undefined };
  }
  const port = readings.port.kind === 'value' ? readings.port.value : SETTINGS.port.whenUnset.value;
  const localUrl = `http://localhost:${port}`;
  if (name !== 'sagemaker') return { publicUrl: localUrl, publicUrlProblem: undefined };
  if (space?.kind === 'described') {
    return { publicUrl: `${space.url}/proxy/${port}`, publicUrlProblem: undefined };
  }
  const reason = space?.reason ?? 'the resource metadata does not name domain and space';
  return {
    publicUrl: localUrl,
    publicUrlProblem: `PUBLIC_URL: the address of this Studio space is not known (DescribeSpace: ${reason}), so links lead to ${localUrl}, where the user's browser finds nothing; allow sagemaker:DescribeSpace to the execution role and start again, or set PUBLIC_URL`,
  };
}

// A page that signs in with a click may be reached by its one user only. Studio asks who comes before it forwards
// anything to its own address, but only there: a tunnel out of a space is as public as any other (SB-04, SB-28).
function findExposures(
  name: RuntimeEnvironmentName,
  listenAddresses: readonly string[],
  publicUrl: string,
  { resourceMetadata, space }: Machine,
): readonly string[] {
  // By its file, not by RUNTIME_ENVIRONMENT: whoever writes that variable elsewhere is not behind Studio's door.
  const isStudio = name === 'sagemaker' && parseResourceMetadata(resourceMetadata) !== undefined;
  const { origin, hostname } = new URL(publicUrl);
  const isStudioUrl = isStudio && space?.kind === 'described' && new URL(space.url).origin === origin;
  return [
    isLoopbackHost(hostname) || isStudioUrl ? [] : [`${origin} is an address that others may reach`],
    isStudio || listenAddresses.every(isLoopbackHost)
      ? []
      : [`the service listens on ${listenAddresses.join(' and ')}, beyond this machine`],
    space?.isShared === true ? ['the Studio space is shared'] : [],
  ].flat();
}
