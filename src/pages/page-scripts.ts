import { createHash } from 'node:crypto';
import { Html, html } from './html.ts';

/** A script of ours: the one element that runs it, and the hash that lets it run (SB-17). */
interface PageScript {
  readonly element: Html;
  readonly hash: string;
}

function createPageScript(text: string): PageScript {
  // Not through the template: one blank more inside the element, and browsers refuse it.
  return {
    element: new Html(`<script>${text}</script>`),
    hash: createHash('sha256').update(text).digest('base64'),
  };
}

/**
 * In a popup: tells the page that opened it, where that is one of the origins the operator named, and closes. Browsers
 * drop a message to an origin that is not the opener's, and the message says nothing but how it ended.
 */
const TELL_OPENER = createPageScript(
  `(()=>{const{opener}=window,{tells,binding}=document.querySelector('[data-tells]').dataset;if(!opener)return;for(const origin of tells.split(' '))opener.postMessage({source:'agentcore-session-binding',binding},origin);window.close()})()`,
);

/** The button is hidden until this runs: without script the reference is selected by one click instead. */
const COPY_REFERENCE = createPageScript(
  `(()=>{const b=document.querySelector('[data-copy]'),c=navigator.clipboard;if(!b||!c)return;b.hidden=false;b.onclick=()=>c.writeText(b.dataset.copy).then(()=>{b.textContent=b.dataset.copied})})()`,
);

/** For the CSP. Which page carries which does not matter: they are ours, to the letter. */
export const SCRIPT_HASHES: readonly string[] = [TELL_OPENER.hash, COPY_REFERENCE.hash];

export function renderOpenerScript(origins: readonly string[]): Html {
  return html`<p hidden data-tells="${origins.join(' ')}" data-binding="completed"></p>
    ${TELL_OPENER.element}`;
}

export function renderCopyButton(
  text: string,
  words: { readonly copy: string; readonly copied: string },
): Html {
  return html`<button class="copy" type="button" hidden data-copy="${text}" data-copied="${words.copied}">
      ${words.copy}
    </button>
    ${COPY_REFERENCE.element}`;
}
