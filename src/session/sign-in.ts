import type { FastifyRequest } from 'fastify';
import { digest } from '../binding/digest.ts';
import type { BrowserSession } from './browser-session.ts';

/**
 * Makes the browser of this request somebody: always under a new id, the former browser session ends, whoever's it
 * was (SB-05). Saved before the answer, so that a store that fails is an error and not a cookie without a record.
 */
export async function signIn(
  request: FastifyRequest,
  newcomer: Omit<BrowserSession, 'lineage'>,
): Promise<void> {
  const former = request.session;
  try {
    await former.regenerate();
    // As random as the new id, of which it says nothing.
    const { sessionId } = request.session;
    request.session.browserSession = { ...newcomer, lineage: digest(`lineage ${sessionId}`) };
    await request.session.save();
  } catch (error) {
    // Left in place, the new one would be saved once more while the error is answered: a second failure there goes
    // out in the store's own words, past the error handler, and a success would hand out a cookie.
    request.session = former;
    throw error;
  }
  // Somebody else was here, so nothing that was started before ends here, not even once its user is back (SB-32).
  if (request.lineageCookie.read(newcomer.user) === undefined) request.lineageCookie.drop();
}
