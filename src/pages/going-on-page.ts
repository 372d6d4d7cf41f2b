import { type Html, html } from './html.ts';
import { type Manner, renderLayout, renderWayOn } from './layout.ts';

/** Leads on by itself; the link is for browsers that do not. */
export function renderGoingOnPage(leadsTo: string, manner: Manner): Html {
  const { goingOn, waysOn } = manner.words;
  const content = html`<p>${goingOn.text}</p>
    ${renderWayOn(leadsTo, waysOn.goOn)}`;
  return renderLayout({ title: goingOn.title, look: 'wait', content, leadsTo }, manner);
}
