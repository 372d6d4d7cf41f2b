import { type Html, html } from './html.ts';
import { renderLayout } from './layout.ts';

/** Leads on by itself; the link is for browsers that do not. */
export function renderGoingOnPage(leadsTo: string): Html {
  const content = html`<p>You are signed in. Next comes the service that you are connecting.</p>
    <p><a class="button" href="${leadsTo}">Go on</a></p>`;
  return renderLayout({ title: 'One moment', look: 'wait', content, leadsTo });
}
