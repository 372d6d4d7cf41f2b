// Pictures of every page in every state, light, dark and on a phone: `npm run pictures [-- FOLDER]`. Real Chromium, real
// headers. Besides the single pictures a sheet of all of them for each look.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { pageStates, servePageStates } from './page-states.mjs';

const folder = process.argv[2] ?? 'pictures';
const LOOKS = [
  { name: 'light', width: 900, height: 640, colorScheme: 'light' },
  { name: 'dark', width: 900, height: 640, colorScheme: 'dark' },
  { name: 'phone', width: 360, height: 640, colorScheme: 'light' },
  { name: 'japanese', width: 360, height: 640, colorScheme: 'light', language: 'ja' },
  { name: 'branded', width: 360, height: 640, colorScheme: 'dark', branded: true },
];

const pages = await servePageStates();
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
});
try {
  for (const { name, width, height, colorScheme, language = 'en', branded = false } of LOOKS) {
    const states = pageStates();
    const brand = branded ? 'branded' : 'plain';
    mkdirSync(join(folder, name), { recursive: true });
    const context = await browser.newContext({
      viewport: { width, height },
      colorScheme,
      reducedMotion: 'reduce',
    });
    const page = await context.newPage();
    const shots = [];
    for (const state of states.keys()) {
      await page.goto(`${pages.origin}/${language}/${brand}/${state}`);
      const path = join(folder, name, `${state}.png`);
      const image = await page.screenshot({ path, fullPage: true });
      shots.push({ state, image: image.toString('base64') });
      if (process.stdout.isTTY) process.stdout.write(`\r${name}: ${shots.length} of ${states.size} `);
    }
    const tiles = shots.map(
      ({ state, image }) =>
        `<figure><img src="data:image/png;base64,${image}" width="${width * (width < 500 ? 0.53 : 0.29)}"><figcaption>${state}</figcaption></figure>`,
    );
    // A new page: the content security policy of ours would refuse the sheet's own style.
    const sheet = await context.newPage();
    await sheet.setViewportSize({ width: 1600, height: 800 });
    await sheet.setContent(
      `<style>body{margin:8px;display:flex;flex-wrap:wrap;gap:8px;font:12px sans-serif;background:#888}figure{margin:0}img{display:block}</style>${tiles.join('')}`,
    );
    await sheet.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
    await context.close();
    process.stdout.write(`\r${name}: ${shots.length} pictures\n`);
  }
} finally {
  await browser.close();
  await pages.close();
}
process.stdout.write(`pictures are in ${folder}/\n`);
