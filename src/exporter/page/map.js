// The view Map: this gateway, its peers, and a line for each link. Colour and dashes by state, width by rate.

import {milliseconds, peerOf, percent, rate, shape, shortened, stateOf, text} from './format.js';

const widest = 1000;
const step = 56;  // between links

// From 1.5 to 10 pixels for 10 kbit/s to 10 Gbit/s, by the logarithm.
export function strokeOf(bitsPerSecond) {
  if (bitsPerSecond === null) return 2;
  return 1.5 + Math.min(8.5, Math.max(0, Math.log10((bitsPerSecond + 1) / 1e4) * 1.4));
}

export function describe(link, bitsPerSecond) {
  const state = stateOf(link).word;
  if (link.carrier !== true || link.fault) return state;
  return `${milliseconds(link.rtt_us?.smoothed)}, ${percent(link.loss)}, ${rate(bitsPerSecond)}`;
}

// The curve of a link and its words. `at` is where they begin or end.
function edge(link, curve, at, history) {
  const state = stateOf(link);
  const words = `${shortened(text(link.link), 28)}: ${describe(link, history.rate(link.link))}`;
  return shape('g', {class: state.kind, 'data-link': text(link.link)},
      shape('title', {}, `${words}. Peer ${shortened(peerOf(link))}, ${state.word}.`),
      shape('path', {class: `edge ${state.kind}`, 'stroke-width': strokeOf(history.rate(link.link)).toFixed(1), d: curve}),
      shape('text', {...at, class: 'soft'}, words));
}

function node(at, name, anchor) {
  return shape('g', {},
      shape('circle', {class: 'node', cx: at.x, cy: at.y, r: 9}),
      shape('text', {x: at.x + (anchor === 'end' ? -16 : 16), y: at.y + 5, 'text-anchor': anchor}, name));
}

// This gateway at the left, its peers at the right.
function wideShapes(links, history, gateway, height) {
  const own = {x: 190, y: height / 2};
  const ends = links.map((link, index) => ({x: widest - 260, y: 40 + index * step}));
  return [
    ...links.map((link, index) => {
      const to = ends[index];
      const middle = (own.x + to.x) / 2;
      const curve = `M${own.x} ${own.y} C${middle} ${own.y} ${middle} ${to.y} ${to.x} ${to.y}`;
      return edge(link, curve, {x: to.x - 14, y: to.y - 10, 'text-anchor': 'end'}, history);
    }),
    node(own, gateway, 'end'),
    ...links.map((link, index) => node(ends[index], shortened(peerOf(link), 28), 'start')),
  ];
}

// For a phone: this gateway above, its peers below each other.
function narrowShapes(links, history, gateway) {
  const own = {x: 12, y: 16};
  const ends = links.map((link, index) => ({x: 44, y: 60 + index * step}));
  return [
    ...links.map((link, index) => {
      const to = ends[index];
      return edge(link, `M${own.x} ${own.y} L${own.x} ${to.y} L${to.x} ${to.y}`, {x: to.x + 16, y: to.y + 22}, history);
    }),
    node(own, gateway, 'start'),
    ...links.map((link, index) => node(ends[index], shortened(peerOf(link), 24), 'start')),
  ];
}

export function drawMap(view, links, history, gateway) {
  const sorted = [...links].sort((a, b) => peerOf(a).localeCompare(peerOf(b)) || text(a.link).localeCompare(text(b.link)));
  const isNarrow = view.clientWidth < 700;
  const width = isNarrow ? view.clientWidth : widest;
  const height = Math.max(sorted.length, 1) * step + 40;
  const up = links.filter((link) => stateOf(link).kind === 'up').length;
  view.replaceChildren(shape('svg', {
    viewBox: `0 0 ${width} ${height}`,
    role: 'img',
    'aria-label': `${up} of ${links.length} links of ${gateway} are up. The view Links has all figures.`,
  }, ...(isNarrow ? narrowShapes(sorted, history, gateway) : wideShapes(sorted, history, gateway, height))));
}
