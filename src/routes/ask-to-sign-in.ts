import type { FastifyReply, FastifyRequest } from 'fastify';
import { type AnswerFacts, prefersPage, sendOutcome } from './answer.ts';
import { sendSignInPage, type SignInOffer } from './sign-in-offer.ts';
import { searchOf } from './request-target.ts';
import { type WayBack, wayBackParameters } from './way-back.ts';

/**
 * Parameter of a way back that follows a login: a browser that comes back without our cookie, since it kept none or
 * somebody planted a second one, must not be sent round for ever.
 */
export const CAME_FROM_LOGIN = 'after_login';

/**
 * Nobody is signed in to this browser: the way in that exists here, after which `wayBack` goes on by itself, else
 * `not_signed_in` (contract §5, §7). For the pages one folder below the base.
 */
export async function askToSignIn(
  request: FastifyRequest,
  reply: FastifyReply,
  wayBack: WayBack,
  offer: SignInOffer,
  facts: AnswerFacts = {},
): Promise<FastifyReply> {
  const isPage = prefersPage(request, 401);
  if (offer.login && isPage && !new URLSearchParams(searchOf(request.raw)).has(CAME_FROM_LOGIN)) {
    // Relative, like the way back from there.
    return reply.redirect(`../login?${wayBackParameters(wayBack).toString()}`, 303);
  }
  if (offer.singleUser && isPage) {
    return sendSignInPage(request, reply, { action: '../sign-in', wayBack }, offer);
  }
  return sendOutcome(request, reply, 'not_signed_in', facts);
}
