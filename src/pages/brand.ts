import { createHash } from 'node:crypto';
import { Html } from './html.ts';
import { accentStyle } from './accent.ts';
import { STYLE } from './style.ts';

/** Whose pages these are, as the operator says (`BRAND_NAME`, `BRAND_LOGO_FILE`, `BRAND_ACCENT`). */
export interface BrandSettings {
  readonly name: string | undefined;
  /** A `data:` URL: a page that loads nothing leaks nothing. */
  readonly logoUrl: string | undefined;
  /** `#rrggbb` */
  readonly accent: string | undefined;
}

/** What every page of this service shares. */
export interface Brand {
  readonly name: string | undefined;
  readonly logoUrl: string | undefined;
  readonly styleElement: Html;
  /** For the CSP: this style sheet and no other (SB-17). */
  readonly styleHash: string;
}

export function createBrand({ name, logoUrl, accent }: BrandSettings): Brand {
  const style = accent === undefined ? STYLE : STYLE + accentStyle(accent);
  return {
    name,
    logoUrl,
    // One blank more inside the element, and browsers refuse the whole style sheet: its hash is over every character.
    styleElement: new Html(`<style>${style}</style>`),
    styleHash: createHash('sha256').update(style).digest('base64'),
  };
}

export const PLAIN_BRAND = createBrand({ name: undefined, logoUrl: undefined, accent: undefined });
