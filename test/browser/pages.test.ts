import axe from 'axe-core';
import type { Page } from 'playwright-core';
import { beforeAll, expect, it, onTestFinished } from 'vitest';
import { pageStates, servePageStates } from '../../scripts/page-states.mjs';
import { describeWithChromium } from './chromium.ts';

const WCAG = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];
const STATES = [...pageStates().keys()];
/** The narrowest window that people have: 400 % zoom on a small desktop, or a small phone. */
const NARROW = { width: 320, height: 568 };
/** Fifty pages, each under axe: seconds alone, minutes on a machine that does much else. */
const SLOW_MS = 5 * 60_000;
/** Whatever the policy of the page stops is kept from the first moment. */
const WATCH_POLICY = `window.stopped = []; addEventListener('securitypolicyviolation', ({ effectiveDirective }) => stopped.push(effectiveDirective))`;
/** By how much the page is wider than its window, and what of it is cut off. */
const OVERFLOW = `(() => {
  const { scrollWidth, clientWidth } = document.documentElement;
  const cut = [...document.querySelectorAll('main *')].filter((element) => element.getBoundingClientRect().right > clientWidth);
  return { wider: scrollWidth - clientWidth, cut: cut.map(({ tagName, className }) => [tagName, String(className)]) };
})()`;
const FITS = { wider: 0, cut: [] };

describeWithChromium('every page in every state', (browser) => {
  let origin = '';
  beforeAll(async () => {
    const pages = await servePageStates();
    origin = pages.origin;
    return () => pages.close();
  });

  async function newTab(options: Parameters<ReturnType<typeof browser>['newContext']>[0] = {}) {
    const context = await browser().newContext({ viewport: NARROW, reducedMotion: 'reduce', ...options });
    onTestFinished(() => context.close());
    const tab = await context.newPage();
    await tab.addInitScript(WATCH_POLICY);
    return tab;
  }

  /** Each state in turn, in light and in dark; what is wrong with it, by its name. */
  async function lookAtAll(tab: Page, folder: string) {
    const wrong: Record<string, readonly unknown[]> = {};
    for (const state of STATES) {
      await tab.emulateMedia({ colorScheme: 'light' });
      await tab.goto(`${origin}/${folder}/${state}`);
      // What `details` hides is looked at, too.
      await tab.evaluate(`document.querySelectorAll('details').forEach((folded) => (folded.open = true))`);
      const found: string[] = [];
      // Pages that differ in words alone are alike to axe. The others it sees in either language and brand.
      if (folder === 'en/plain' || state.includes('-')) {
        found.push(...(await violations(tab, { type: 'tag', values: WCAG })));
        await tab.emulateMedia({ colorScheme: 'dark' });
        // Nothing but colours differs.
        found.push(...(await violations(tab, { type: 'rule', values: ['color-contrast'] })));
      }
      for (const textSize of ['100%', '200%']) {
        await tab.evaluate(`document.documentElement.style.fontSize = '${textSize}'`);
        const overflow = await tab.evaluate(OVERFLOW);
        if (JSON.stringify(overflow) !== JSON.stringify(FITS)) {
          found.push(`at ${textSize}: ${JSON.stringify(overflow)}`);
        }
      }
      const stopped: readonly string[] = await tab.evaluate('stopped');
      found.push(...stopped);
      if (found.length > 0) wrong[state] = found;
    }
    return wrong;
  }

  it.each(['en/plain', 'ja/branded'])(
    'is accessible to WCAG 2.2 AA in light and dark, fits a phone also with text of twice the size, and stays within its policy: %s [SB-17]',
    async (folder) => {
      expect(STATES.length).toBeGreaterThanOrEqual(50);
      expect(await lookAtAll(await newTab(), folder)).toEqual({});
    },
    SLOW_MS,
  );

  it('copies the reference that it shows, and says so', async () => {
    const tab = await newTab({ permissions: ['clipboard-read', 'clipboard-write'] });
    await tab.goto(`${origin}/en/plain/token_missing`);
    const reference = await tab.locator('.reference code').textContent();
    await tab.getByRole('button', { name: 'Copy' }).click();
    await tab.getByRole('button', { name: 'Copied' }).waitFor();
    expect(await tab.evaluate('navigator.clipboard.readText()')).toBe(reference);
  });

  it('is dark where people want it dark', async () => {
    const colours = async (colorScheme: 'light' | 'dark') => {
      const tab = await newTab({ colorScheme });
      await tab.goto(`${origin}/en/plain/token_missing`);
      return tab.evaluate(
        `[document.body, document.querySelector('main'), document.querySelector('h1')].flatMap((element) => [getComputedStyle(element).color, getComputedStyle(element).backgroundColor])`,
      ) as Promise<readonly string[]>;
    };
    const [light, dark] = [await colours('light'), await colours('dark')];
    expect(dark).toHaveLength(light.length);
    expect(light.filter((colour, index) => colour === dark[index] && colour !== 'rgba(0, 0, 0, 0)')).toEqual(
      [],
    );
  });
});

/** What axe finds, in a line each. */
async function violations(tab: Page, runOnly: axe.RunOnly): Promise<readonly string[]> {
  const options = JSON.stringify({ runOnly, resultTypes: ['violations'], preload: false });
  // Into each page once: that is the dear part.
  const run = `axe.run(document, ${options}).then(({ violations }) => violations)`;
  if (await tab.evaluate(`typeof axe === 'undefined'`)) await tab.evaluate(axe.source);
  const found = (await tab.evaluate(run)) as axe.Result[];
  return found.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
}
