/** The one style sheet, in every page by its hash. Colours keep 4.5:1 contrast in light and dark. */
export const STYLE = `
:root{color-scheme:light dark;--paper:#f3f5f8;--card:#fff;--ink:#14181d;--soft:#525c68;--line:#d9dfe6;--faint:#c3ccd6;--brand:#2358c4;--accent:#0a6f4c}
.wait,.person{--accent:var(--brand)}.stop{--accent:#855400}.trouble{--accent:#b3261e}
@media (prefers-color-scheme:dark){
:root{--paper:#0e1115;--card:#171b21;--ink:#eef1f5;--soft:#a9b3bf;--line:#2b323b;--faint:#46505c;--brand:#8fb6ff;--accent:#5bd6a6}.stop{--accent:#f0c069}.trouble{--accent:#ff9c92}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;text-size-adjust:100%}
body{margin:0;min-height:100vh;min-height:100dvh;display:grid;grid-template:1fr auto 1.4fr/minmax(0,1fr);justify-items:center;padding:1rem;background:var(--paper);color:var(--ink);font:1.0625rem/1.55 Inter,system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","Hiragino Sans","Noto Sans CJK JP",sans-serif}
header{grid-row:1;align-self:end;display:flex;gap:.625rem;align-items:center;justify-content:center;width:100%;max-width:27rem;padding:0 .5rem 1rem;font-weight:600;text-align:center;overflow-wrap:anywhere}
header img{display:block;max-height:2.25rem;max-width:11rem}
main{grid-row:2;width:100%;max-width:27rem;overflow-wrap:anywhere;background:var(--card);border:1px solid var(--line);border-radius:1.25rem;box-shadow:0 1px 2px rgb(16 24 40/.05),0 18px 40px -18px rgb(16 24 40/.18);text-align:center}
.stage{display:grid;grid-template-columns:minmax(0,auto);place-content:center;padding:1.75rem 1.5rem 1.5rem;border-bottom:1px solid var(--line);border-radius:1.25rem 1.25rem 0 0;background:color-mix(in srgb,var(--accent) 7%,var(--card))}
.words{padding:1.5rem 2rem 1.75rem}
.art{display:block;width:11rem;max-width:100%;height:auto;fill:none;stroke:var(--faint);stroke-width:2.5;stroke-linecap:round;stroke-linejoin:round}
.person .art{width:4.5rem}
.art .end{fill:var(--card)}
.art .glyph{stroke:var(--soft)}
.art .badge{fill:var(--accent);stroke:none}
.art .sign{stroke:var(--card);stroke-width:3}
.good .end,.good .way,.person .end{stroke:var(--accent)}
.good .glyph,.person .glyph{stroke:var(--accent)}
.wait .way{stroke:var(--accent);stroke-dasharray:.1 7}
.trouble .way,.stop .way{stroke-dasharray:10 60}
h1{margin:0 0 .5rem;font-size:1.5rem;line-height:1.25;letter-spacing:-.015em;text-wrap:balance}
p{margin:.5rem 0;color:var(--soft);text-wrap:pretty}
.who{font-size:.9375rem}
.who bdi,.name{color:var(--ink);font-weight:600}
.next{margin-top:1rem;color:var(--ink);font-weight:550}
.button{display:inline-block;min-height:2.75rem;margin-top:.5rem;padding:.625rem 1.5rem;border:0;border-radius:.625rem;background:var(--brand);color:var(--card);font:inherit;font-weight:600;line-height:1.5;text-decoration:none;cursor:pointer}
.button:hover{filter:brightness(1.08)}
.button:active{filter:brightness(.94)}
:focus-visible{outline:3px solid var(--ink);outline-offset:3px;border-radius:.375rem}
.choices{display:grid;gap:.625rem;margin:1.25rem 0}
.choices button{margin:0;padding:.75rem 1.25rem}
.choices small{display:block;font-weight:400}
.notice{margin:0 0 1.25rem;padding:.75rem 1rem;border:1px solid var(--line);border-inline-start:4px solid var(--accent);border-radius:.625rem;color:var(--ink);text-align:start}
.quiet{min-height:2.75rem;padding:.5rem 1.25rem;border:1px solid var(--faint);border-radius:.625rem;background:none;color:var(--ink);font:inherit;font-size:.9375rem;font-weight:550;cursor:pointer}
.quiet:hover{border-color:var(--soft)}
.sign-out{display:grid;gap:.875rem;justify-items:center;margin-top:1.5rem;padding-top:1.5rem;border-top:1px solid var(--line);font-size:.9375rem}
label{display:flex;gap:.625rem;align-items:baseline;color:var(--soft);text-align:start;cursor:pointer}
input{flex:none;inline-size:1.125rem;block-size:1.125rem;margin:0;translate:0 .2rem;accent-color:var(--accent)}
details{margin-top:1.25rem;font-size:.9375rem}
summary{display:inline-block;padding:.375rem .75rem;color:var(--soft);cursor:pointer;list-style:none;text-decoration:underline;text-underline-offset:.2em}
summary::-webkit-details-marker{display:none}
details .sign-out{margin-top:.75rem}
:lang(ja){word-break:auto-phrase;line-break:strict}
a{color:inherit;text-underline-offset:.2em}
.reference{margin:1.5rem 0 0;padding-top:1rem;border-top:1px solid var(--line);font-size:.8125rem}
p+p .button{margin-top:0}
.copy{margin-inline-start:.25rem;padding:.125rem .625rem;border:1px solid var(--faint);border-radius:.375rem;background:none;color:var(--ink);font:inherit;cursor:pointer;min-height:1.5rem}
code{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;user-select:all}
@media (max-width:26rem){.words{padding:1.25rem 1.25rem 1.5rem}h1{font-size:1.375rem}}
@media (prefers-reduced-motion:no-preference){
.good .way{stroke-dasharray:64;animation:join .5s ease-out both}.good .badge,.good .sign{animation:pop .3s .3s ease-out both;transform-origin:88px 32px}
.wait .way{animation:flow 1s linear infinite}}
@keyframes join{from{stroke-dashoffset:64}}@keyframes pop{from{opacity:0;transform:scale(.6)}}@keyframes flow{to{stroke-dashoffset:-7.1}}
@media (forced-colors:active){.art{forced-color-adjust:none}}
@media print{main{box-shadow:none}}
`;
