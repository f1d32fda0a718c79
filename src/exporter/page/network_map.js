// The map of a whole network: sites on an ellipse with their gateways, and a line for each link.

import {element, milliseconds, percent, rate, shape, shortened, stateOf, text} from './format.js';
import {describe, strokeOf} from './map.js';
import {worse} from './network.js';
import {Zoom} from './zoom.js';

const mostLabels = 40;   // more would cover each other
const mostTroubles = 50;
const between = 90;      // gateways of a site

// Positions of all gateways and of the names of their sites, in a view of this width.
export function layout(gateways, narrow) {
  const sites = [...new Set(gateways.map((gateway) => gateway.site))];
  const members = sites.map((site) => gateways.flatMap((gateway, index) => (gateway.site === site ? [index] : [])));
  const widest = Math.max(...members.map((all) => all.length)) * between + 40;
  const radius = Math.max(narrow ? 170 : 230, (sites.length * widest) / (2 * Math.PI));
  const stretched = narrow || sites.length > 8 ? 1 : 1.5;
  const at = gateways.map(() => null);
  const names = sites.map((site, index) => {
    const angle = (2 * Math.PI * index) / sites.length - Math.PI / 2;
    const x = radius * stretched * Math.cos(angle);
    const y = radius * Math.sin(angle);
    members[index].forEach((gateway, place) => {
      const offset = (place - (members[index].length - 1) / 2) * between;
      at[gateway] = {x: x - offset * Math.sin(angle), y: y + offset * Math.cos(angle), angle};
    });
    return {site, x: x + 62 * Math.cos(angle), y: y + 44 * Math.sin(angle) + 5, angle};
  });
  return placed({at, names}, [...at, ...names]);
}

// With room around the points for their names.
function placed(places, points) {
  const left = Math.min(...points.map((point) => point.x)) - 110;
  const top = Math.min(...points.map((point) => point.y)) - 30;
  for (const point of points) {
    point.x -= left;
    point.y -= top;
  }
  const width = Math.max(...points.map((point) => point.x)) + 110;
  const height = Math.max(...points.map((point) => point.y)) + 45;
  return {...places, width, height};
}

function anchorOf(angle) {
  const side = Math.cos(angle);
  return Math.abs(side) < 0.3 ? 'middle' : side > 0 ? 'start' : 'end';
}

function lineOf(link, places, gateways, hasLabel) {
  const [from, to] = link.gateways.map((gateway) => places.at[gateway]);
  const title = shape('title');
  const line = shape('path', {class: 'edge', d: `M${round(from.x)} ${round(from.y)}L${round(to.x)} ${round(to.y)}`});
  const label = hasLabel ? labelOf(link, from, to) : null;
  const ends = link.gateways.map((gateway) => gateways[gateway].name).join(' – ');
  const group = shape('g', {'data-link': ends}, title, line, ...(hasLabel ? [label] : []));
  return {title, line, label, ends, group, drawn: ''};
}

function labelOf(link, from, to) {
  // Of four links between two pairs of gateways, two cross each other in the middle.
  const along = (link.gateways[0] + link.gateways[1]) % 2 === 0 ? 0.3 : 0.66;
  const x = round(from.x + along * (to.x - from.x));
  const y = round(from.y + along * (to.y - from.y));
  // Along the line, and never upside down.
  const turn = Math.atan((to.y - from.y) / (to.x - from.x)) * 180 / Math.PI;
  const transform = `rotate(${round(turn)} ${x} ${y})`;
  return shape('text', {class: 'soft', 'text-anchor': 'middle', x, y, dy: -6, transform});
}

// Loss only where there is some.
function brief(end, bitsPerSecond) {
  const loss = end.loss >= 0.0005 ? [percent(end.loss)] : [];
  return [milliseconds(end.rtt_us?.smoothed), ...loss, rate(bitsPerSecond)].join(', ');
}

// A gateway, and its cable to the name of its site.
function nodeOf(gateway, place, site) {
  const [x, y] = [round(place.x), round(place.y)];
  const title = shape('title');
  const cable = shape('path', {class: 'edge off', d: `M${x} ${y}L${round(site.x)} ${round(site.y)}`});
  const circle = shape('circle', {class: 'node', cx: x, cy: y, r: 9});
  const name = shape('text', {x, y: y + 26, 'text-anchor': 'middle'}, shortened(gateway.name, 14));
  const group = shape('g', {'data-gateway': gateway.name}, title, cable, circle, name);
  return {title, cable, circle, group, drawn: ''};
}

function siteOf({site, x, y, angle}) {
  const attributes = {x: round(x), y: round(y), class: 'site', 'text-anchor': anchorOf(angle)};
  return shape('text', attributes, shortened(text(site), 24));
}

function round(value) {
  return Math.round(value * 10) / 10;
}

// Why the exporter of a gateway gives no states, or an empty text.
function silenceOf(gateway) {
  if (gateway.exporter === null && gateway.fault) return 'has no exporter in the topology';
  return gateway.fault === 'not_asked' ? 'is asked' : text(gateway.fault).replaceAll('_', ' ');
}

export class NetworkMap {
  constructor(network, narrow) {
    this.network = network;
    this.version = network.version;
    this.narrow = narrow;
    const {links, gateways} = network;
    const places = layout(gateways, narrow);
    this.lines = links.map((link) => lineOf(link, places, gateways, links.length <= mostLabels));
    this.nodes = gateways.map((gateway, index) =>
        nodeOf(gateway, places.at[index], places.names.find((name) => name.site === gateway.site)));
    this.drawing = shape('svg', {role: 'img', class: 'network'},
        ...this.lines.map((line) => line.group), ...this.nodes.map((node) => node.group), ...places.names.map(siteOf));
    this.zoom = new Zoom(this.drawing, places.width, places.height);
    this.words = element('p');
    this.troubles = element('ul');
    this.element = element('div', {}, this.words, this.zoom.buttons, this.zoom.frame, this.troubles);
  }

  fits(network, narrow) {
    return this.version === network.version && this.narrow === narrow;
  }

  draw() {
    const {gateways, links, fault, own} = this.network;
    const troubles = gateways.flatMap((gateway, index) => {
      this.drawGateway(this.nodes[index], gateway, gateway.name === own.name);
      return troublesOf(gateway);
    });
    let up = 0;
    links.forEach((link, index) => {
      const end = worse(link.ends);
      const state = end === null ? {word: 'unknown', kind: 'off'} : stateOf(end);
      if (state.kind === 'up') up += 1;
      else troubles.push({what: this.lines[index].ends, state, reason: text(end?.reason_text) || text(end?.reason)});
      this.drawLink(this.lines[index], link, end, state);
    });
    this.drawWords(fault ? `The exporter does not answer: ${shortened(fault, 200)}` :
      `${up} of ${links.length} links of the network are up.`);
    this.drawTroubles(troubles);
  }

  drawWords(words) {
    if (this.words.textContent === words) return;
    this.words.textContent = words;
    this.drawing.setAttribute('aria-label', words);
  }

  // The browser lays a link out again only when it has changed.
  drawLink(line, link, end, state) {
    const words = state.kind === 'up' ? describe(end, link.rate) : state.word;
    const stroke = strokeOf(link.rate).toFixed(1);
    const drawn = `${state.kind} ${stroke} ${words}`;
    if (drawn === line.drawn) return;
    line.drawn = drawn;
    line.group.setAttribute('class', state.kind);
    line.line.setAttribute('class', `edge ${state.kind}`);
    line.line.setAttribute('stroke-width', stroke);
    line.title.textContent = `${line.ends}: ${words}`;
    if (line.label !== null) line.label.textContent = state.kind === 'up' ? brief(end, link.rate) : words;
  }

  drawGateway(node, gateway, isOwn) {
    const silence = silenceOf(gateway);
    const site = {true: 'up', false: 'down'}[gateway.running] ?? 'off';
    const words = `${gateway.name}, ${gateway.site}` + (silence ? `: ${silence}` : '') +
        (site === 'down' ? ': its site is not connected' : '');
    const drawn = `${site} ${isOwn} ${words}`;
    if (node.drawn === drawn) return;
    node.drawn = drawn;
    node.title.textContent = words;
    node.cable.setAttribute('class', `edge ${site}`);
    node.group.setAttribute('class', site);
    node.circle.setAttribute('class', isOwn ? 'node own' : 'node');
    node.circle.setAttribute('stroke-dasharray', silence ? '3 3' : 'none');
  }

  // The list is replaced only when it has changed, so that its text can be selected.
  drawTroubles(troubles) {
    const lines = troubles.slice(0, mostTroubles).map(({what, state, reason}) => element('li', {},
        element('span', {class: state.kind}, state.word), ` ${what}` + (reason ? `: ${shortened(reason, 120)}` : '')));
    if (troubles.length > mostTroubles) lines.push(element('li', {}, `and ${troubles.length - mostTroubles} more`));
    const all = lines.map((line) => line.textContent).join('\n');
    if (all === this.listed) return;
    this.listed = all;
    this.troubles.replaceChildren(...lines);
  }
}

function troublesOf(gateway) {
  const found = [];
  if (gateway.fault && gateway.exporter !== null) {
    found.push({what: `exporter of ${gateway.name}`, state: {word: silenceOf(gateway), kind: 'off'}, reason: gateway.error});
  }
  if (gateway.running === false) {
    const state = {word: 'no carrier', kind: 'down'};
    found.push({what: `${gateway.name} – ${gateway.site}`, state, reason: 'an interface to the site is down'});
  }
  return found;
}
