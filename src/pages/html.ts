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

/** Values an {@link html} template takes: text is escaped, Html is not, a list is its items, undefined is nothing. */
export type HtmlValue = Html | string | number | undefined | readonly Html[];

/** Escapes every value by default, so that no name, parameter or label becomes markup (SB-17). */
export function html(strings: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  let markup = strings[0] ?? '';
  for (const [index, value] of values.entries()) {
    markup += markupOf(value) + (strings[index + 1] ?? '');
  }
  return new Html(markup);
}

function markupOf(value: HtmlValue): string {
  if (value === undefined) return '';
  if (value instanceof Html) return value.toString();
  // Each item by itself: a list of anything but Html would otherwise be a way round the escaping.
  return isList(value) ? value.map(markupOf).join('') : escape(String(value));
}

function isList(value: HtmlValue): value is readonly Html[] {
  return Array.isArray(value);
}
