import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { afterEach } from 'vitest';
import { recordAnswer } from './answer-recorder.mjs';
import { complainAbout, type SentAnswer } from './complain-about.mjs';

const undescribed = new Set<string>();

// Where the service answers in tests, that is, for each test of a file that starts a world: the test in which an answer
// is not the document's fails, whatever it is about.
afterEach(throwUndescribed);

export function throwUndescribed(): void {
  const found = [...undescribed];
  undescribed.clear();
  if (found.length > 0) throw new Error(`docs/openapi.json does not describe:\n${found.join('\n')}`);
}

/** Holds every answer of this server to the committed document. */
export function watchAnswers(app: FastifyInstance): void {
  app.server.prependListener('request', (request: IncomingMessage, response: ServerResponse) =>
    recordAnswer(request, response, checkAnswer),
  );
}

/** The test in which it is not the document's fails. */
export function checkAnswer(answer: SentAnswer): void {
  const complaint = complainAbout(answer);
  if (complaint === undefined) return;
  undescribed.add(`${answer.method} ${answer.url.split('?')[0]} ${answer.status}: ${complaint}`);
}
