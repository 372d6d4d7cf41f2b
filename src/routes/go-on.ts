import type { FastifyReply, FastifyRequest } from 'fastify';
import { renderGoingOnPage } from '../pages/going-on-page.ts';
import { mannerOf, prefersPage, sendPage } from './answer.ts';
import { type WayBack, wayBackPath } from './way-back.ts';

/**
 * Takes a browser that has just been signed in back to what it was about. For the pages at the base; relative, so that
 * it leads to the host that set the cookie, under whatever prefix its proxy shows.
 *
 * A start link goes on to AgentCore and to the provider, whose hosts no CSP of ours can name, and browsers hold every
 * redirect after a form to the `form-action` of its page: so that journey begins anew, from a page.
 */
export function goOn(request: FastifyRequest, reply: FastifyReply, wayBack: WayBack): FastifyReply {
  const path = wayBackPath(wayBack);
  if (wayBack.kind === 'callback' || !prefersPage(request, 200)) return reply.redirect(path, 303);
  return sendPage(reply, renderGoingOnPage(path, mannerOf(request)));
}
