/** The one style sheet, in every page by its hash. Colours keep 4.5:1 contrast in light and dark. */
export const STYLE = `
:root{--paper:#f4f5f7;--card:#fff;--ink:#1b1f24;--soft:#57606a;--line:#d8dee4;--accent:#0a6b4f}
.wait{--accent:#1f5fbf}.stop{--accent:#6b4a00}.trouble{--accent:#b3261e}
@media (prefers-color-scheme:dark){
:root{--paper:#14171b;--card:#1d2127;--ink:#eef1f4;--soft:#a9b3be;--line:#333a43;--accent:#5fd3a8}
.wait{--accent:#8ab4ff}.stop{--accent:#f0c36a}.trouble{--accent:#ff9a91}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;min-height:100dvh;display:grid;place-items:center;padding:1.25rem;background:var(--paper);color:var(--ink);font:1.0625rem/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif}
main{width:100%;max-width:27rem;padding:2.25rem 2rem 1.75rem;background:var(--card);border:1px solid var(--line);border-radius:1rem;text-align:center;overflow-wrap:anywhere}
svg{fill:none;stroke:var(--accent);stroke-width:3;stroke-linecap:round;stroke-linejoin:round}
h1{margin:.75rem 0 .5rem;font-size:1.5rem;line-height:1.25;letter-spacing:-.01em;text-wrap:balance}
p{margin:.5rem 0;color:var(--soft);text-wrap:pretty}
.who{font-size:.9375rem}.who bdi{color:var(--ink);font-weight:600}
.next{margin-top:1.25rem;padding-top:1.25rem;border-top:1px solid var(--line);color:var(--ink);font-weight:500}
.button{display:inline-block;margin-top:.5rem;padding:.6rem 1.4rem;border-radius:.5rem;background:var(--accent);color:var(--card);font-weight:600;text-decoration:none}
.button:focus-visible{outline:3px solid var(--ink);outline-offset:3px}
.reference{margin-top:1.5rem;font-size:.8125rem}
code{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;user-select:all}
`;
