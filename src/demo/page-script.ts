/** The page's script. Without it the page works too, and has to be reloaded to see what has happened meanwhile. */
export const PAGE_SCRIPT = `
const part = (id) => document.getElementById(id);
const flow = part('flow');
const waiting = [];

// Hop by hop, also where many come at once.
setInterval(() => {
  const entry = waiting.shift();
  if (entry === undefined) return;
  flow.insertAdjacentHTML('beforeend', entry);
  flow.lastElementChild.classList.add('new');
  flow.parentElement.scrollTop = flow.parentElement.scrollHeight;
}, 120);

const events = new EventSource('/events');
for (const id of ['conversation', 'stories', 'flow']) {
  events.addEventListener(id, ({ data }) => {
    if (id === 'flow') waiting.length = 0;
    part(id).innerHTML = JSON.parse(data);
    if (id === 'flow') flow.parentElement.scrollTop = flow.parentElement.scrollHeight;
  });
}
events.addEventListener('hop', ({ data }) => waiting.push(JSON.parse(data)));
events.onopen = () => { part('stopped').hidden = true; };
events.onerror = () => { part('stopped').hidden = false; };

document.addEventListener('submit', (event) => {
  const form = event.target;
  if (!('stays' in form.dataset)) return;
  event.preventDefault();
  fetch(form.action, { method: 'POST', body: new URLSearchParams(new FormData(form, event.submitter)), redirect: 'manual' });
});

document.addEventListener('click', async ({ target }) => {
  const text = target.dataset.copy;
  if (text === undefined) return;
  await navigator.clipboard.writeText(text);
  target.textContent = 'Copied';
});
`;
