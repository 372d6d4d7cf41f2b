/** Markup that is safe to send: made by {@link html} only. */
export class Html {
  readonly #markup: string;

  constructor(markup: string) {
    this.#markup = markup;
  }

  toString(): string {
    return this.#markup;
  }
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  '`': '&#96;',
};

function escape(text: string): string {
  return text.replace(/[&<>"'`]/g, (character) => ESCAPES[character] ?? '');
}

/** Values an {@link html} template takes: text is escaped, Html is not, undefined is nothing. */
export type HtmlValue = Html | string | number | undefined;

/** Escapes every value by default, so that no name, parameter or label becomes markup (SB-17). */
export function html(strings: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  let markup = strings[0] ?? '';
  for (const [index, value] of values.entries()) {
    const text = value === undefined ? '' : value instanceof Html ? value.toString() : escape(String(value));
    markup += text + (strings[index + 1] ?? '');
  }
  return new Html(markup);
}
