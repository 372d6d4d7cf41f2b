import { type DestinationStream, type Logger, pino } from 'pino';

/**
 * The log: one JSON object a line. Nothing is logged whole that comes from outside: of an error its name, message
 * and stack, of a request nothing at all, since URLs and headers carry states, cookies and ids (SB-16).
 */
export function createLogger(level: string, destination: DestinationStream): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: {
        // Own properties of an error may hold the input that caused it.
        err: (error: unknown) =>
          error instanceof Error
            ? { name: error.name, message: error.message, stack: error.stack }
            : { name: 'not an Error' },
        req: () => undefined,
        res: () => undefined,
      },
    },
    destination,
  );
}
