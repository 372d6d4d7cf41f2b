/** What came of one request. */
export interface SentAnswer {
  readonly method: string;
  /** As the router reads it: without the path prefix. */
  readonly url: string;
  readonly status: number;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

export function complainAbout(answer: SentAnswer): string | undefined;
