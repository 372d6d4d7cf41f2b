/**
 * What a setting's text came to. Each problem says what is wrong and what to write, and never quotes the text:
 * a secret pasted into the wrong variable must not reach the terminal or the log either (SB-16).
 */
export type Parsed<T> =
  | { readonly kind: 'parsed'; readonly value: T }
  | { readonly kind: 'wrong'; readonly problems: readonly string[] };

export function parsed<T>(value: T): Parsed<T> {
  return { kind: 'parsed', value };
}

export function wrong(...problems: readonly string[]): Parsed<never> {
  return { kind: 'wrong', problems };
}
