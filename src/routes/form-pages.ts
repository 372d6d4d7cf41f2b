import type { FastifyRequest } from 'fastify';
import fastifyPlugin from 'fastify-plugin';
import type { OutcomeCode } from '../pages/outcomes.ts';
import type { Audit } from '../telemetry/audit.ts';
import { sendOutcome } from './answer.ts';
import { isOwnForm, isTopLevelNavigation } from './fetch-metadata.ts';

export interface FormPagesOptions {
  readonly publicUrl: string;
  readonly audit: Audit;
}

export const FORM = 'application/x-www-form-urlencoded';
const MEDIA_TYPE_DETAIL = `The body of the request must be a form (${FORM}).`;

/**
 * What holds for the pages with forms in this scope: a tab of their own, and only a page of ours may post. Register
 * it before the cookie is read; the CSRF token is the route's to check (SB-03).
 */
export const formPages = fastifyPlugin<FormPagesOptions>(
  async (app, { publicUrl, audit }) => {
    const ownOrigin = new URL(publicUrl).origin;

    app.removeAllContentTypeParsers();
    app.addContentTypeParser(FORM, { parseAs: 'string' }, (_request, body, done) =>
      done(null, new URLSearchParams(body.toString())),
    );

    app.addHook('onRequest', async (request, reply) => {
      const code = refusalOf(request, ownOrigin);
      if (code === undefined) return;
      audit.requestRefused({ requestId: request.id, code });
      const detail = code === 'unsupported_media_type' ? MEDIA_TYPE_DETAIL : undefined;
      return sendOutcome(request, reply, code, { detail });
    });
  },
  { name: 'form-pages', fastify: '5.x' },
);

function refusalOf({ method, headers }: FastifyRequest, ownOrigin: string): OutcomeCode | undefined {
  if (!isTopLevelNavigation(headers)) return 'not_a_navigation';
  if (method !== 'POST') return undefined;
  if (!isOwnForm(headers, ownOrigin)) return 'forbidden_origin';
  const mediaType = headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase();
  return mediaType === FORM ? undefined : 'unsupported_media_type';
}
