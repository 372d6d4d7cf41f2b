import { createHash } from 'node:crypto';
import { Html, html } from './html.ts';

/**
 * In a popup: tells the page that opened it, where that is one of the origins the operator named, and closes. A message
 * to an origin that is not the opener's is dropped by the browser, and the message says nothing but how it ended.
 */
const SCRIPT = `(()=>{const{opener}=window,{origins,binding}=document.currentScript.dataset;if(!opener)return;for(const origin of origins.split(' '))opener.postMessage({source:'agentcore-session-binding',binding},origin);window.close()})()`;

/** For the CSP of the pages that carry it (SB-17). */
export const openerScriptHash = createHash('sha256').update(SCRIPT).digest('base64');

const SCRIPT_TEXT = new Html(SCRIPT);

export function renderOpenerScript(origins: readonly string[]): Html {
  return html`<script data-origins="${origins.join(' ')}" data-binding="completed">
    ${SCRIPT_TEXT};
  </script>`;
}
