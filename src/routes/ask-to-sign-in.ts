import type { FastifyReply, FastifyRequest } from 'fastify';
import { type AnswerFacts, prefersPage, sendOutcome } from './answer.ts';
import { sendSignInPage, type SignInOffer } from './sign-in-offer.ts';
import type { WayBack } from './way-back.ts';

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
  if (offer.singleUser && prefersPage(request, 401)) {
    return sendSignInPage(request, reply, { action: '../sign-in', wayBack }, offer);
  }
  return sendOutcome(request, reply, 'not_signed_in', facts);
}
