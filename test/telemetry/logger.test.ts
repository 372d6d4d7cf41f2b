import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { Secret } from '../../src/binding/secret.ts';
import { Browser } from '../../src/demo/browser.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { startWorld } from '../support/world.ts';

describe('the log', () => {
  it('takes of an error its name, message and stack, and none of what else hangs on it [SB-16]', () => {
    const error = Object.assign(new RangeError('a bug'), {
      input: 'canary',
      config: { headers: { authorization: 'canary' } },
      cause: new Error('canary'),
    });
    expect(logged({ err: error })).toMatchObject({
      err: { name: 'RangeError', message: 'a bug', stack: expect.stringContaining('logger.test') },
    });
    expect(JSON.stringify(logged({ err: error }))).not.toContain('canary');
  });

  it('takes nothing of what was thrown and is no error [SB-16]', () => {
    expect(logged({ err: { message: 'canary' } })).toMatchObject({ err: { name: 'not an Error' } });
    expect(logged({ err: 'canary' })).toMatchObject({ err: { name: 'not an Error' } });
  });

  it('takes nothing of a request or an answer, even where a library logs them whole [SB-16]', () => {
    const line = logged({
      req: { url: '/?canary', headers: {} },
      res: { headers: { 'set-cookie': 'canary' } },
    });
    expect(JSON.stringify(line)).not.toContain('canary');
  });

  it('prints no secret that is handed to it [SB-16]', () => {
    expect(logged({ token: new Secret('canary') })).toMatchObject({ token: '[secret]' });
  });

  it('is one JSON object a line, with its time, its level in words, and nothing of the machine', () => {
    expect(logged({ event: 'x' })).toEqual({
      level: 'info',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      event: 'x',
      msg: 'a message\nof two lines',
    });
  });
});

describe('at level trace', () => {
  it('a request in which nothing was decided leaves no line: the library’s own would carry its URL [SB-16]', async () => {
    const world = await startWorld({ config: { logLevel: 'trace' } });
    const before = world.log().length;
    for (const path of ['/ping', '/ping?canary', '/ready']) {
      expect((await new Browser().send(world.url + path)).status).toBe(200);
    }
    expect(world.log().slice(before)).toEqual([]);
  });
});

function logged(fields: object): unknown {
  const destination = new PassThrough();
  createLogger('trace', destination).info(fields, 'a message\nof two lines');
  const text = String(destination.read());
  expect(text.trimEnd()).not.toContain('\n');
  return JSON.parse(text);
}
