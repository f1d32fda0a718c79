// Asks for the state once a second and draws the view that the address names.

import {History} from './history.js';
import {drawLinks} from './links.js';
import {drawMap} from './map.js';
import {drawRoutes} from './routes.js';
import {shortened, stateOf, text} from './format.js';

const period = 1000;
const history = new History();
const view = document.getElementById('view');
const summary = document.getElementById('summary');
let state = null;

// The links that answer, and those that do not.
function linksOf(all) {
  const silent = all.faults.filter((fault) => 'link' in fault)
      .map((fault) => ({link: fault.link, fault: text(fault.reason)}));
  return [...all.links, ...silent];
}

function gatewayOf(links) {
  const own = links.map((link) => text(link.credentials?.certificate?.name)).find((name) => name !== '');
  return shortened(own ?? 'this gateway', 28);
}

function draw() {
  const chosen = location.hash.slice(1) || 'map';
  for (const link of document.querySelectorAll('nav a')) {
    if (link.hash === '#' + chosen) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  if (state === null) return;
  const links = linksOf(state);
  const gateway = gatewayOf(links);
  document.getElementById('gateway').textContent = gateway;
  const up = links.filter((link) => stateOf(link).kind === 'up').length;
  const words = `${up} of ${links.length} links are up.`;
  if (summary.textContent !== words) summary.textContent = words;  // a screen reader says each change
  if (chosen === 'links') drawLinks(view, links, history);
  else if (chosen === 'routes') drawRoutes(view, state.birds, state.faults);
  else drawMap(view, links, history, gateway);
}

async function ask() {
  try {
    const answer = await fetch('/api/v1/status', {signal: AbortSignal.timeout(5000)});
    if (!answer.ok) throw new Error(await answer.text());
    state = await answer.json();
    for (const link of linksOf(state)) history.add(link, Date.now());
    draw();
  } catch (error) {
    summary.textContent = 'The exporter does not answer: ' + error.message;
  }
  setTimeout(ask, document.hidden ? 10 * period : period);
}

addEventListener('hashchange', () => {
  draw();
  view.focus();
});
draw();
ask();
