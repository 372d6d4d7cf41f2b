import type { IncomingMessage, ServerResponse } from 'node:http';
import type { SentAnswer } from './complain-about.mjs';

export function recordAnswer(
  request: IncomingMessage,
  response: ServerResponse,
  tell: (answer: SentAnswer) => void,
): void;
