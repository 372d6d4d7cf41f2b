import { expect, it } from 'vitest';
import { rememberLast } from '../../src/pages/remember.ts';

function counting() {
  const asked: string[] = [];
  const read = rememberLast((header) => {
    asked.push(header);
    return header.length > 3;
  });
  return { asked, read };
}

it('a header that was read before is not read again, whatever was made of it', () => {
  const { asked, read } = counting();
  expect(['text', 'no', 'text', 'no'].map(read)).toEqual([true, false, true, false]);
  expect(asked).toEqual(['text', 'no']);
});

it('what somebody makes up fills no memory: long ones are not kept, and many are forgotten [SB-22]', () => {
  const { asked, read } = counting();
  const long = 'x'.repeat(513);
  read(long);
  read(long);
  expect(asked).toHaveLength(2);

  read('kept');
  for (let index = 0; index < 256; index += 1) read(`made-up-${index}`);
  read('kept');
  expect(asked.filter((header) => header === 'kept')).toHaveLength(2);
});
