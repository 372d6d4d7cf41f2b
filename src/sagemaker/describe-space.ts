import type { DescribeSpaceCommandOutput } from '@aws-sdk/client-sagemaker';
import { askAws } from '../agentcore/ask-aws.ts';
import { requireSecureRequest } from '../agentcore/secure-transport.ts';
import { parseBaseUrl } from '../env/parse-urls.ts';
import type { StudioSpace } from '../env/runtime-environment.ts';
import type { SpaceQuestion } from '../env/space-question.ts';

/** Contract §10. */
const BUDGET_MS = 5_000;
/** Long enough for one lost SYN: where the VPC has no way to SageMaker, waiting longer changes nothing. */
const CONNECTION_TIMEOUT_MS = 1_500;

/** Asks AWS for the address and the sharing of a Studio space. Never rejects; answers within five seconds. */
export async function describeSpace(
  { domainId, spaceName, region }: SpaceQuestion,
  budgetMs = BUDGET_MS,
): Promise<StudioSpace> {
  // A client of many operations, needed in Studio alone: nobody else waits for it to load. The time is AWS's, not
  // that of a cold disk.
  const { DescribeSpaceCommand, SageMakerClient } = await import('@aws-sdk/client-sagemaker');
  const client = new SageMakerClient({
    region,
    maxAttempts: 2,
    retryMode: 'standard',
    requestHandler: {
      connectionTimeout: CONNECTION_TIMEOUT_MS,
      requestTimeout: budgetMs,
      throwOnRequestTimeout: true,
    },
  });
  // The answer becomes the address in every link: nobody on the way may write it (SB-18).
  client.middlewareStack.add(
    (next) => (args) => {
      requireSecureRequest(args.request);
      return next(args);
    },
    { step: 'build', name: 'requireSecureTransport' },
  );
  const command = new DescribeSpaceCommand({ DomainId: domainId, SpaceName: spaceName });
  const asked = await askAws(budgetMs, (abortSignal) => client.send(command, { abortSignal }));
  client.destroy();
  return asked.kind === 'failed' ? { kind: 'unknown', reason: asked.reason } : readSpace(asked.answer);
}

function readSpace({ Url, SpaceSharingSettings }: DescribeSpaceCommandOutput): StudioSpace {
  // Only what is said to be private is: spaces from before that setting are shared, and say nothing (SB-04).
  const isShared = SpaceSharingSettings?.SharingType !== 'Private';
  if (Url === undefined) return { kind: 'unknown', reason: 'the space has no Url', isShared };
  const url = parseBaseUrl(Url);
  // @NOTE live: whether the Url of a space under IAM Identity Center carries a query, to which `/proxy/` cannot be added.
  if (url.kind === 'wrong' || !url.value.startsWith('https:')) {
    return { kind: 'unknown', reason: 'the space has no https Url without query', isShared };
  }
  return { kind: 'described', url: url.value, isShared };
}
