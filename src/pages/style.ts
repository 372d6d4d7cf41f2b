/** The one style sheet, in every page by its hash. Colours keep 4.5:1 contrast in light and dark. */
export const STYLE = `
:root{--paper:#f4f5f7;--card:#fff;--ink:#1b1f24;--soft:#57606a;--line:#d8dee4;--accent:#0a6b4f}
.wait,.person{--accent:#1f5fbf}.stop{--accent:#6b4a00}.trouble{--accent:#b3261e}
@media (prefers-color-scheme:dark){
:root{--paper:#14171b;--card:#1d2127;--ink:#eef1f4;--soft:#a9b3be;--line:#333a43;--accent:#5fd3a8}
.wait,.person{--accent:#8ab4ff}.stop{--accent:#f0c36a}.trouble{--accent:#ff9a91}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;min-height:100dvh;display:grid;place-items:center;padding:1.25rem;background:var(--paper);color:var(--ink);font:1.0625rem/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif}
main{width:100%;max-width:27rem;padding:2.25rem 2rem 1.75rem;background:var(--card);border:1px solid var(--line);border-radius:1rem;text-align:center;overflow-wrap:anywhere}
svg{fill:none;stroke:var(--accent);stroke-width:3;stroke-linecap:round;stroke-linejoin:round}
h1{margin:.75rem 0 .5rem;font-size:1.5rem;line-height:1.25;letter-spacing:-.01em;text-wrap:balance}
p{margin:.5rem 0;color:var(--soft);text-wrap:pretty}
.who{font-size:.9375rem}.who bdi{color:var(--ink);font-weight:600}
.next{margin-top:1.25rem;padding-top:1.25rem;border-top:1px solid var(--line);color:var(--ink);font-weight:500}
.button{display:inline-block;margin-top:.5rem;padding:.6rem 1.4rem;border:0;border-radius:.5rem;background:var(--accent);color:var(--card);font:inherit;font-weight:600;text-decoration:none;cursor:pointer}
.button:hover{filter:brightness(1.08)}
:focus-visible{outline:3px solid var(--ink);outline-offset:3px;border-radius:.25rem}
.choices{display:grid;gap:.625rem;margin:1.25rem 0 0}
.choices button{margin:0;padding:.75rem 1.25rem}
.choices small{display:block;font-weight:400;opacity:.85}
.name{color:var(--ink);font-weight:600}
.notice{margin:1rem 0;padding:.625rem .875rem;border:1px solid var(--line);border-left:4px solid var(--accent);border-radius:.5rem;color:var(--ink);text-align:start}
.quiet{margin-top:.75rem;padding:.5rem 1rem;border:1px solid var(--line);border-radius:.5rem;background:none;color:var(--ink);font:inherit;font-size:.9375rem;cursor:pointer}
.quiet:hover{border-color:var(--soft)}
.sign-out{margin-top:1.25rem;padding-top:1.25rem;border-top:1px solid var(--line);font-size:.9375rem}
label{display:flex;gap:.5rem;align-items:baseline;justify-content:center;color:var(--soft);text-align:start;cursor:pointer}
input{accent-color:var(--accent)}
details{margin-top:1.25rem;font-size:.9375rem}
summary{display:inline-block;padding:.25rem .5rem;color:var(--soft);cursor:pointer;list-style:none;text-decoration:underline;text-underline-offset:.2em}
summary::-webkit-details-marker{display:none}
details .sign-out{margin-top:.75rem}
a{color:inherit}
.reference{margin-top:1.5rem;font-size:.8125rem}
code{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;user-select:all}
`;
