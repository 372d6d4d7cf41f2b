import type { IncomingMessage, ServerResponse } from 'node:http';
import type { SentAnswer } from './described-answers.ts';

export function recordAnswer(
  request: IncomingMessage,
  response: ServerResponse,
  tell: (answer: SentAnswer) => void,
): void;
