/** What is being done, on the last line of a terminal; nothing where there is none. */
export function progress(text) {
  if (!process.stderr.isTTY) return;
  process.stderr.write(`\r\u001b[2K${text}`);
}
