/** What AWS answered, or `reason`: the name of its exception or the code of a failure, never its text. */
export type AwsAnswer<T> =
  { readonly kind: 'answered'; readonly answer: T } | { readonly kind: 'failed'; readonly reason: string };

/** One question to AWS that never rejects and never takes longer than it may. */
export async function askAws<T>(
  budgetMs: number,
  send: (abortSignal: AbortSignal) => Promise<T>,
): Promise<AwsAnswer<T>> {
  const signal = AbortSignal.timeout(budgetMs);
  try {
    // Not everything in the SDK listens to the signal: credentials may hang on their own.
    return { kind: 'answered', answer: await Promise.race([send(signal), aborted(signal)]) };
  } catch (error) {
    return { kind: 'failed', reason: signal.aborted ? 'no answer in time' : reasonOf(error) };
  }
}

/** Rejects when the signal aborts. */
function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const abort = () => reject(new Error('aborted'));
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
  });
}

/** The name or code of a failure, never its message: that one is AWS's or the library's, and may quote anything. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'it failed';
  const code = 'code' in error ? error.code : undefined;
  const word = typeof code === 'string' ? code : error.name;
  return /^[A-Za-z_]{1,64}$/.test(word) ? word : 'it failed';
}
