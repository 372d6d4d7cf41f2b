/** The Studio space in which the service runs, as SageMaker's resource metadata file names it. */
export interface SpaceName {
  readonly domainId: string;
  readonly spaceName: string;
  /** The space's own region, which need not be AgentCore's; undefined where the file does not say. */
  readonly region: string | undefined;
}

/** Where SageMaker puts it. */
export const RESOURCE_METADATA_FILE = '/opt/ml/metadata/resource-metadata.json';

/** Undefined for whatever is not the file of a Studio space: notebook instances and training jobs have one too. */
export function parseResourceMetadata(text: string | undefined): SpaceName | undefined {
  const metadata = parseJson(text);
  if (typeof metadata !== 'object' || metadata === null) return undefined;
  const domainId = 'DomainId' in metadata ? metadata.DomainId : undefined;
  const spaceName = 'SpaceName' in metadata ? metadata.SpaceName : undefined;
  if (!isName(domainId) || !isName(spaceName)) return undefined;
  const arn = 'ResourceArn' in metadata ? metadata.ResourceArn : undefined;
  return { domainId, spaceName, region: regionOf(arn) };
}

function parseJson(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    return undefined;
  }
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && /^[a-zA-Z0-9-]{1,63}$/.test(value);
}

// The region becomes part of a host name, so nothing but a region's alphabet passes.
function regionOf(arn: unknown): string | undefined {
  if (typeof arn !== 'string') return undefined;
  return /^arn:aws[a-z-]*:sagemaker:(?<region>[a-z]{2,4}(?:-[a-z]{2,12}){1,2}-[0-9]{1,2}):/.exec(arn)
    ?.groups?.['region'];
}
