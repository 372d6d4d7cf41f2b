import { Signer } from '@fastify/cookie';
import { expect, it } from 'vitest';
import { Secret } from '../../src/binding/secret.ts';
import { CookieSigner, createCookieSigner } from '../../src/session/read-browser-session.ts';

const NEW = new Secret('the-secret-of-today-that-is-long-enough-0123456789');
const OLD = new Secret('the-secret-of-last-year-that-is-long-enough-012345');

it('an id whose cookie was seen to be valid is still believed with its own signature only [SB-33]', () => {
  const [ours, theirs] = [createCookieSigner([NEW]), createCookieSigner([OLD])];
  const valid = ours.sign('an-id');
  expect(ours.unsign(valid)).toEqual({ valid: true, renew: false, value: 'an-id' });
  for (const forged of ['an-id', 'an-id.', 'an-id.x', theirs.sign('an-id'), `${valid}x`, valid.slice(0, -1)])
    expect(ours.unsign(forged)).toMatchObject({ valid: false });
  expect(ours.unsign(valid)).toMatchObject({ valid: true });
});

it('a cookie of an older secret is to be renewed however often it comes, and is signed with the newest [SB-14]', () => {
  const old = createCookieSigner([OLD]).sign('an-id');
  const signer = createCookieSigner([NEW, OLD]);
  for (let times = 0; times < 3; times += 1) {
    expect(signer.unsign(old)).toEqual({ valid: true, renew: true, value: 'an-id' });
    expect(signer.sign('an-id')).toBe(createCookieSigner([NEW]).sign('an-id'));
  }
});

it('more cookies than are remembered are still told apart', () => {
  const signer = createCookieSigner([NEW]);
  const cookies = Array.from({ length: 1000 }, (_, index) => signer.sign(`id-${index}`));
  for (const [index, cookie] of cookies.entries()) {
    expect(signer.unsign(cookie)).toEqual({ valid: true, renew: false, value: `id-${index}` });
    expect(signer.unsign(cookies[index + 1]?.replace(/^[^.]*/, `id-${index}`) ?? 'x')).toMatchObject({
      valid: false,
    });
  }
});

/** And what it had to check anew. */
function watchedSigner() {
  const checked: string[] = [];
  const signer = new Signer(NEW.reveal());
  const { unsign } = signer;
  signer.unsign = (input) => {
    checked.push(input);
    return Reflect.apply(unsign, signer, [input]);
  };
  return { signer: new CookieSigner(signer), checked };
}

it('256 cookies are remembered, and with the next one all are forgotten [SB-22]', () => {
  const { signer, checked } = watchedSigner();
  const cookies = Array.from({ length: 257 }, (_, index) => signer.sign(`id-${index}`));
  expect(signer.unsign(cookies[256] ?? '').valid).toBe(true);
  expect(checked).toEqual([]);
  for (const index of [0, 1, 0, 1, 255]) expect(signer.unsign(cookies[index] ?? '').valid).toBe(true);
  expect(checked).toEqual([cookies[0], cookies[1], cookies[255]]);
});

it('a full memory holds what came last, to the 256th', () => {
  const { signer, checked } = watchedSigner();
  const cookies = Array.from({ length: 256 }, (_, index) => signer.sign(`id-${index}`));
  for (const cookie of cookies) expect(signer.unsign(cookie).valid).toBe(true);
  expect(checked).toEqual([]);
});
