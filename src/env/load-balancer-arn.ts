import { parsed, wrong } from './parsed.ts';
import type { Parsed } from './parsed.ts';

// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awselasticloadbalancingv2.html
const ARN =
  /^arn:(?<partition>aws[a-z-]*):elasticloadbalancing:(?<region>[a-z0-9-]+):[0-9]{12}:loadbalancer\/app\/[A-Za-z0-9-]{1,32}\/[0-9a-f]{8,32}$/;

/** The ARN of an Application Load Balancer, compared exactly with the `signer` of its header (SB-20). */
export function parseLoadBalancerArn(text: string): Parsed<string> {
  if (ARN.test(text)) return parsed(text);
  return wrong(
    'must be the ARN of an Application Load Balancer, such as arn:aws:elasticloadbalancing:eu-central-1:111122223333:loadbalancer/app/agents/50dc6c495c0c9188',
  );
}

/**
 * Where AWS publishes the public keys of that region's load balancers; undefined in partitions without such an address.
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/application/listener-authenticate-users.html
 */
export function standardPublicKeysUrl(arn: string): string | undefined {
  const { partition, region } = ARN.exec(arn)?.groups ?? {};
  return partition === 'aws' ? `https://public-keys.auth.elb.${region}.amazonaws.com` : undefined;
}
