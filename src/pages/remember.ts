/** Far more than the browsers of a day send. */
const MOST_VALUES = 256;
/** Nobody fills the memory with what he makes up (SB-22). */
const LONGEST_VALUE = 512;

/** The same function, which remembers what it made of the header values that it saw last: browsers send few different ones. */
export function rememberLast<Result>(read: (header: string) => Result): (header: string) => Result {
  const known = new Map<string, Result>();
  return (header) => {
    const before = known.get(header);
    if (before !== undefined) return before;
    const result = read(header);
    if (header.length > LONGEST_VALUE) return result;
    if (known.size >= MOST_VALUES) known.clear();
    known.set(header, result);
    return result;
  };
}
