// Draws the view that the address names, at each new status.

import {History} from './history.js';
import {drawLinks} from './links.js';
import {Live} from './live.js';
import {drawMap} from './map.js';
import {drawRoutes} from './routes.js';
import {shortened, stateOf, text} from './format.js';

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

const live = new Live((told) => {
  // An event may have a part of the links: the others are known already.
  const known = new Set(state?.links);
  state = told;
  for (const link of linksOf(state)) {
    if (!known.has(link)) history.add(link, Date.now());
  }
  draw();
}, (fault) => {
  summary.textContent = 'The exporter does not answer: ' + fault;
});

addEventListener('hashchange', () => {
  draw();
  view.focus();
});
// A page that nobody sees takes no place among the streams.
document.addEventListener('visibilitychange', () => {
  if (document.hidden) live.stop();
  else live.start();
});
draw();
live.start();
