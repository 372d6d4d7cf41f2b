import { PLACES } from './feed.ts';

// Column n lies between the lines 2n+1 and 2n+3: arrows run from middle to middle.
const COLUMNS = PLACES.map(
  (_, index) =>
    `.at-${index}{grid-column-start:${2 * index + 2}}.to-${index}{grid-column-end:${2 * index + 2}}` +
    `.begins-${index}{grid-column:${2 * index + 2}/-1}.ends-${index}{grid-column:1/${2 * index + 2};text-align:end}`,
).join('\n');

/** The page's style sheet, in the colours of the service's own pages. */
export const PAGE_STYLE = `
:root{color-scheme:light dark;--paper:#f3f5f8;--card:#fff;--ink:#14181d;--soft:#525c68;--line:#d9dfe6;--faint:#c3ccd6;--brand:#2358c4;--good:#0a6f4c;--stop:#855400}
@media (prefers-color-scheme:dark){:root{--paper:#0e1115;--card:#171b21;--ink:#eef1f5;--soft:#a9b3bf;--line:#2b323b;--faint:#46505c;--brand:#8fb6ff;--good:#5bd6a6;--stop:#f0c069}}
*{box-sizing:border-box}
[hidden]{display:none!important}
html{-webkit-text-size-adjust:100%;text-size-adjust:100%}
body{margin:0 auto;max-width:80rem;padding:1.5rem 1.25rem 3rem;background:var(--paper);color:var(--ink);font:1rem/1.55 Inter,system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif}
header{display:flex;flex-wrap:wrap;gap:.75rem 1.5rem;align-items:center;padding:.5rem .25rem 1.5rem}
header div{flex:1 1 18rem}
.mark{flex:none;width:8.5rem;fill:none;stroke:var(--good);stroke-width:2.5;stroke-linecap:round;stroke-linejoin:round}
.mark .end{fill:var(--card)}
.mark .badge{fill:var(--good);stroke:none}
.mark .sign{stroke:var(--card);stroke-width:3}
h1,h2,h3{margin:0;line-height:1.25;letter-spacing:-.015em;text-wrap:balance}
h1{font-size:1.625rem}h2{font-size:1.125rem}h3{font-size:1.0625rem}
p{margin:.375rem 0;color:var(--soft);text-wrap:pretty}
main{display:grid;gap:1.25rem;grid-template-columns:minmax(0,1fr)}
.card{min-width:0;padding:1.5rem;background:var(--card);border:1px solid var(--line);border-radius:1.25rem;box-shadow:0 1px 2px rgb(16 24 40/.05),0 18px 40px -18px rgb(16 24 40/.18)}
.row>*{max-width:100%}
.row{display:flex;flex-wrap:wrap;gap:.625rem;align-items:center;margin:1rem 0 0}
.button,.quiet{display:inline-block;min-height:2.75rem;padding:.5625rem 1.25rem;border-radius:.625rem;font:inherit;font-weight:600;line-height:1.5;text-decoration:none;cursor:pointer}
.button{border:1px solid transparent;background:var(--brand);color:var(--card)}
.quiet{border:1px solid var(--faint);background:none;color:var(--ink);font-weight:550}
.button:hover{filter:brightness(1.08)}.quiet:hover{border-color:var(--soft)}
.quiet:disabled{color:var(--soft);cursor:progress}
.small{min-height:1.75rem;padding:.125rem .75rem;border:1px solid var(--faint);border-radius:.375rem;background:none;color:var(--ink);font:inherit;font-size:.875rem;cursor:pointer}
:focus-visible{outline:3px solid var(--ink);outline-offset:2px;border-radius:.375rem}
#stopped{padding:.75rem 1rem;margin:0 0 1.25rem;background:var(--card);border:1px solid var(--line);border-inline-start:4px solid var(--stop);border-radius:.625rem;color:var(--ink)}
.who{display:flex;flex-wrap:wrap;justify-content:space-between;gap:.5rem;align-items:center;padding-bottom:1rem;border-bottom:1px solid var(--line)}
.who span{margin-inline-end:.5rem;font-weight:600}
.messages{display:grid;gap:.75rem;margin:1.25rem 0;padding:0;list-style:none}
.messages>li{max-width:88%;padding:.75rem 1rem;border:1px solid var(--line);border-radius:1rem;border-end-start-radius:.25rem;justify-self:start;overflow-wrap:anywhere}
.messages p,.messages ul{margin:0;color:var(--ink)}
.messages ul{padding:.375rem 0 0 1.25rem}
.messages .row{margin-top:.75rem}
.messages>.you{justify-self:end;border-color:transparent;border-radius:1rem;border-end-end-radius:.25rem;background:color-mix(in srgb,var(--brand) 14%,var(--card))}
.messages>.past p{color:var(--soft)}
.messages .waits{margin-top:.75rem;color:var(--soft);font-size:.9375rem}
.waits::after{content:"…"}
.steps{margin:1.5rem 0;padding:1.25rem 0 0 1.25rem;border-top:1px solid var(--line);color:var(--ink)}
.steps li{padding:.125rem .25rem}
.drawing{display:flex;flex-direction:column}
.scroll{position:relative;flex:1;min-height:20rem;max-height:34rem;margin-top:.75rem;overflow-y:auto;border:1px solid var(--line);border-radius:.75rem}
.lanes{position:sticky;top:0;z-index:1;display:grid;grid-template-columns:repeat(${PLACES.length},minmax(0,1fr));padding:.625rem 0;background:var(--card);border-bottom:1px solid var(--line);color:var(--soft);font-size:clamp(.5625rem,.45rem + .6vw,.8125rem);font-weight:600;line-height:1.2;text-align:center}
.lanes span{padding:0 .0625rem}
#flow{display:grid;gap:.25rem;margin:0;padding:.75rem 0 1rem;list-style:none;min-height:17rem;align-content:start;background:linear-gradient(90deg,transparent calc(50% - .5px),var(--line) 0 calc(50% + .5px),transparent 0) 0 0/calc(100%/${PLACES.length}) 100%}
.heading{margin:.5rem .75rem .25rem;padding:.25rem .625rem;border-radius:.5rem;background:var(--paper);color:var(--ink);font-size:.8125rem;font-weight:600}
.hop{--tone:var(--soft);display:grid;grid-template-columns:repeat(${PLACES.length * 2},minmax(0,1fr))}
.hop.good{--tone:var(--good)}.hop.stop{--tone:var(--stop)}
.what{grid-row:1;padding:0 .375rem;color:var(--ink);font:.75rem/1.35 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;overflow-wrap:anywhere}
.what b{padding:0 .3125rem;border-radius:.25rem;background:color-mix(in srgb,var(--tone) 14%,var(--card));color:var(--tone);font-weight:600}
.arrow{grid-row:2;position:relative;height:.625rem;margin:0 .25rem}
.arrow::before{content:"";position:absolute;inset:.25rem 0 auto;border-top:2px solid var(--tone)}
.arrow::after{content:"";position:absolute;top:.0625rem;width:.5rem;height:.5rem;border:solid var(--tone);border-width:2px 2px 0 0}
.right::after{right:0;rotate:45deg}.left::after{left:0;rotate:-135deg}
.spoken{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
${COLUMNS}
.result{margin-top:1.25rem;padding-top:1.25rem;border-top:1px solid var(--line)}
dl{display:flex;flex-wrap:wrap;gap:.5rem 2rem;margin:.75rem 0 1.25rem}
dl div{display:flex;gap:.5rem}
dt{color:var(--soft)}dd{margin:0;font-weight:600}
.nobody{color:var(--stop)}.somebody{color:var(--good)}
.windows{display:grid;gap:1.25rem;grid-template-columns:repeat(auto-fit,minmax(min(100%,20rem),1fr))}
figure{margin:0;max-width:32rem;border:1px solid var(--line);border-radius:.75rem;overflow:hidden;background:var(--paper)}
figcaption{display:flex;flex-wrap:wrap;gap:.125rem .75rem;align-items:baseline;padding:.5rem 1rem;border-bottom:1px solid var(--line);font-size:.875rem}
figcaption span{flex:1;color:var(--soft);overflow-wrap:anywhere}
iframe{display:block;width:100%;height:31rem;border:0}
@media (min-width:60rem){main{grid-template-columns:minmax(0,4fr) minmax(0,6fr)}.stories{grid-column:1/-1}}
@media (max-width:30rem){body{padding:1rem .75rem 2rem}.card{padding:1.125rem}.what{padding:0 .125rem;font-size:.625rem}.lanes{letter-spacing:-.03em}h1{font-size:1.375rem}.mark{width:7rem}}
@media (prefers-reduced-motion:no-preference){
.new{animation:come .3s ease-out}.new .arrow{animation:draw .35s ease-out;transform-origin:left}.new .left{transform-origin:right}
.waits::before{content:"";display:inline-block;width:.5rem;height:.5rem;margin-inline-end:.5rem;border-radius:50%;background:var(--brand);animation:beat 1.2s ease-in-out infinite}}
@keyframes come{from{opacity:0}}@keyframes draw{from{transform:scaleX(0)}}@keyframes beat{50%{opacity:.25}}
`;
