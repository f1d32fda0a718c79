// Draws the view that the address names, at each new status.

import {History} from './history.js';
import {drawLinks} from './links.js';
import {Live} from './live.js';
import {Lookup} from './lookup.js';
import {drawMap} from './map.js';
import {Network} from './network.js';
import {NetworkMap} from './network_map.js';
import {drawRoutes} from './routes.js';
import {element, shortened, stateOf, text} from './format.js';

const history = new History();
const lookup = new Lookup();
const network = new Network(() => {
  if (shown.name === 'map') draw();
});
let networkMap = null;
// The view that is shown, and the part of it that each status draws again.
const shown = {name: '', part: null};
const view = document.getElementById('view');
const summary = document.getElementById('summary');
let state = null;

// The links that answer, and those that do not.
function linksOf(all) {
  const silent = all.faults.filter((fault) => 'link' in fault)
      .map((fault) => ({link: fault.link, fault: text(fault.reason)}));
  return [...all.links, ...silent];
}

// The name in the certificate of this gateway, or an empty one.
function gatewayOf(links) {
  return links.map((link) => text(link.credentials?.certificate?.name)).find((name) => name !== '') ?? '';
}

// The looking glass stays in the view, so that a field keeps its text and the focus.
function choose(name) {
  if (shown.name === name) return;
  shown.name = name;
  shown.part = element('div');
  view.replaceChildren(...(name === 'routes' ? [lookup.element] : []), shown.part);
  if (name === 'map') network.start();
  else network.stop();
}

// The map of the whole network if the exporter can ask others, else of this gateway.
function drawAnyMap(links, gateway) {
  if (!network.isKnown) return drawMap(shown.part, links, history, gateway);
  const narrow = view.clientWidth < 700;
  if (networkMap === null || !networkMap.fits(network, narrow)) networkMap = new NetworkMap(network, narrow);
  if (networkMap.element.parentNode !== shown.part) shown.part.replaceChildren(networkMap.element);
  networkMap.draw();
}

function draw() {
  const chosen = ['links', 'routes'].find((name) => location.hash === '#' + name) ?? 'map';
  for (const link of document.querySelectorAll('nav a')) {
    if (link.hash === '#' + chosen) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  if (state === null) return;
  const links = linksOf(state);
  const name = gatewayOf(links);
  const gateway = shortened(name || 'this gateway', 28);
  network.setOwn(name, links);
  document.getElementById('gateway').textContent = gateway;
  const up = links.filter((link) => stateOf(link).kind === 'up').length;
  const words = `${up} of ${links.length} links are up.`;
  if (summary.textContent !== words) summary.textContent = words;  // a screen reader says each change
  choose(chosen);
  lookup.links = links;
  if (chosen === 'links') drawLinks(shown.part, links, history);
  else if (chosen === 'routes') drawRoutes(shown.part, state.birds, state.faults);
  else drawAnyMap(links, gateway);
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
addEventListener('resize', draw);
// A page that nobody sees takes no place among the streams.
document.addEventListener('visibilitychange', () => {
  if (document.hidden) {
    live.stop();
    network.stop();
  } else {
    live.start();
    if (shown.name === 'map') network.start();
  }
});
draw();
live.start();
