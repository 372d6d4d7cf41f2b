/** Every page in every state, by its name, in that language and brand. */
export function pageStates(options?: {
  readonly language?: string;
  readonly branded?: boolean;
}): ReadonlyMap<string, unknown>;

export function servePageStates(): Promise<{ readonly origin: string; close(): Promise<void> }>;
