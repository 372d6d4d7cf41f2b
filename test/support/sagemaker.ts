import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { onTestFinished } from 'vitest';

/** How DescribeSpace answers. */
export type SpaceAnswer =
  | {
      readonly kind: 'space';
      readonly Url?: string;
      readonly SpaceSharingSettings?: { readonly SharingType: string };
    }
  | { readonly kind: 'exception'; readonly name: string; readonly status?: number }
  /** No answer, ever. */
  | { readonly kind: 'hang' }
  /** A TCP reset. */
  | { readonly kind: 'reset' }
  /** A page of something in between. */
  | { readonly kind: 'html'; readonly status: number };

interface DescribeSpaceCall {
  readonly domainId: unknown;
  readonly spaceName: unknown;
  /** Of the signature. */
  readonly region: string | undefined;
}

/** SageMaker on loopback: DescribeSpace in AWS's JSON 1.1 protocol, for one space. */
export interface SageMakerStandIn {
  readonly endpoint: string;
  answer: SpaceAnswer;
  /** Those that arrived signed. */
  readonly calls: readonly DescribeSpaceCall[];
}

export const DOMAIN_ID = 'd-abc123def456';
export const SPACE_NAME = 'my-space';
export const STUDIO_ORIGIN = 'https://abc123.studio.eu-west-3.sagemaker.aws';
export const SPACE_URL = `${STUDIO_ORIGIN}/jupyterlab/default`;
export const PRIVATE_SPACE = {
  kind: 'space',
  Url: SPACE_URL,
  SpaceSharingSettings: { SharingType: 'Private' },
} as const satisfies SpaceAnswer;
export const SHARED_SPACE = {
  ...PRIVATE_SPACE,
  SpaceSharingSettings: { SharingType: 'Shared' },
} as const satisfies SpaceAnswer;

/** What stands in the metadata file of a JupyterLab space. */
export const RESOURCE_METADATA = {
  AppType: 'JupyterLab',
  DomainId: DOMAIN_ID,
  SpaceName: SPACE_NAME,
  ExecutionRoleArn: 'arn:aws:iam::123456789012:role/Studio',
  ResourceArn: `arn:aws:sagemaker:eu-west-3:123456789012:app/${DOMAIN_ID}/${SPACE_NAME}/JupyterLab/default`,
  ResourceName: 'default',
};

/** The message of an AccessDeniedException, which nobody but the operator's AWS account should read. */
export const DENIAL =
  'User: arn:aws:sts::123456789012:assumed-role/Studio/SageMaker is not authorized to perform: sagemaker:DescribeSpace';

export async function startSageMaker(answer: SpaceAnswer = PRIVATE_SPACE): Promise<SageMakerStandIn> {
  const calls: DescribeSpaceCall[] = [];
  const server = createServer((request, response) => {
    handle(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('not listening on a port');
  const standIn = { endpoint: `http://127.0.0.1:${address.port}`, answer, calls };

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readBody(request);
    if (request.headers['x-amz-target'] !== 'SageMaker.DescribeSpace') {
      return sendException(response, 'UnknownOperationException');
    }
    const scope = /Credential=[^/]+\/[0-9]{8}\/(?<region>[^/]+)\/sagemaker\/aws4_request/.exec(
      request.headers.authorization ?? '',
    );
    if (scope === null) return sendException(response, 'MissingAuthenticationTokenException');
    const { DomainId: domainId, SpaceName: spaceName } = JSON.parse(body) as Record<string, unknown>;
    calls.push({ domainId, spaceName, region: scope.groups?.['region'] });
    const { answer: now } = standIn;
    switch (now.kind) {
      case 'hang':
        return;
      case 'reset':
        request.socket.resetAndDestroy();
        return;
      case 'html':
        response.writeHead(now.status, { 'content-type': 'text/html' }).end('<h1>Proxy</h1>');
        return;
      case 'exception':
        return sendException(response, now.name, now.status);
      case 'space': {
        if (domainId !== DOMAIN_ID || spaceName !== SPACE_NAME)
          return sendException(response, 'ResourceNotFound');
        const { kind: _, ...members } = now;
        return send(response, 200, {
          DomainId: domainId,
          SpaceName: spaceName,
          Status: 'InService',
          ...members,
        });
      }
    }
  }
  return standIn;
}

function sendException(response: ServerResponse, name: string, status = 400): void {
  send(response, status, { __type: name, message: DENIAL });
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, {
    'content-type': 'application/x-amz-json-1.1',
    'x-amzn-requestid': randomUUID(),
  });
  response.end(JSON.stringify(body));
}

async function readBody(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) text += String(chunk);
  return text;
}
