// The view Map: this gateway, its peers, and a line for each link. Colour and dashes by state, width by rate.

import {milliseconds, peerOf, percent, rate, shape, shortened, stateOf, text} from './format.js';

const width = 1000;

// From 1.5 to 10 pixels for 0 to 10 Gbit/s, by the logarithm.
function strokeOf(bitsPerSecond) {
  if (bitsPerSecond === null) return 2;
  return 1.5 + Math.min(8.5, Math.max(0, Math.log10(bitsPerSecond + 1) * 0.85));
}

function describe(link, history) {
  const state = stateOf(link).word;
  if (link.carrier !== true || link.fault) return state;
  return `${milliseconds(link.rtt_us?.smoothed)}, ${percent(link.loss)}, ${rate(history.rate(link.link))}`;
}

function edge(link, from, to, history) {
  const state = stateOf(link);
  const words = `${shortened(text(link.link))}: ${describe(link, history)}`;
  return shape('g', {class: state.kind},
      shape('title', {}, `${words}. Peer ${shortened(peerOf(link))}, ${state.word}.`),
      shape('path', {
        class: `edge ${state.kind}`,
        'stroke-width': strokeOf(history.rate(link.link)).toFixed(1),
        d: `M${from.x} ${from.y} C${(from.x + to.x) / 2} ${from.y} ${(from.x + to.x) / 2} ${to.y} ${to.x} ${to.y}`,
      }),
      shape('text', {x: to.x - 14, y: to.y - 10, 'text-anchor': 'end', class: 'soft'}, words));
}

function node(at, name, anchor) {
  return shape('g', {},
      shape('circle', {class: 'node', cx: at.x, cy: at.y, r: 9}),
      shape('text', {x: at.x + (anchor === 'end' ? -16 : 16), y: at.y + 5, 'text-anchor': anchor}, name));
}

export function drawMap(view, links, history, gateway) {
  const sorted = [...links].sort((a, b) => peerOf(a).localeCompare(peerOf(b)) || text(a.link).localeCompare(text(b.link)));
  const step = 56;
  const height = Math.max(sorted.length, 1) * step + 20;
  const own = {x: 190, y: height / 2};
  const ends = sorted.map((link, index) => ({x: width - 260, y: 40 + index * step}));
  const up = links.filter((link) => stateOf(link).kind === 'up').length;
  view.replaceChildren(shape('svg', {
    viewBox: `0 0 ${width} ${height}`,
    role: 'img',
    'aria-label': `${up} of ${links.length} links of ${gateway} are up. The view Links has all figures.`,
  },
  ...sorted.map((link, index) => edge(link, own, ends[index], history)),
  node(own, gateway, 'end'),
  ...sorted.map((link, index) => node(ends[index], shortened(peerOf(link), 28), 'start'))));
}
