// The view Links: a table, and the changes of state.

import {element, milliseconds, partsOf, peerOf, percent, rate, shape, shortened, stateOf, tableWith, text} from './format.js';

function spark(values) {
  const width = 120;
  const height = 20;
  const known = values.filter((value) => value !== null);
  const largest = Math.max(...known, 1e-9);
  let path = '';
  let pen = 'M';
  values.forEach((value, index) => {
    if (value === null) {
      pen = 'M';
      return;
    }
    const x = (index / Math.max(values.length - 1, 1)) * width;
    path += `${pen}${x.toFixed(1)} ${(height - 1 - (value / largest) * (height - 2)).toFixed(1)}`;
    pen = 'L';
  });
  return shape('svg', {width, height, viewBox: `0 0 ${width} ${height}`, 'aria-hidden': 'true'},
      shape('path', {class: 'spark', d: path || 'M0 0'}));
}

function row(link, history) {
  const state = stateOf(link);
  const seen = history.of(link.link).samples;
  const up = link.carrier === true && !link.fault;
  return element('tr', {},
      element('th', {scope: 'row'}, shortened(text(link.link))),
      element('td', {class: state.kind}, state.word),
      element('td', {class: 'name', title: peerOf(link).slice(0, 200)}, shortened(peerOf(link))),
      element('td', {class: 'number'}, up ? milliseconds(link.rtt_us?.smoothed) : '–'),
      element('td', {}, spark(seen.map((sample) => sample.rtt))),
      element('td', {class: 'number'}, up ? percent(link.loss) : '–'),
      element('td', {}, spark(seen.map((sample) => sample.loss))),
      element('td', {class: 'number'}, rate(history.rate(link.link))),
      element('td', {}, spark(seen.map((sample) => sample.rate))),
      element('td', {class: 'number'}, String(link.mtu ?? '–')),
      element('td', {class: 'number'}, String(link.flaps ?? '–')),
      element('td', {}, shortened(text(link.reason_text) || text(link.reason), 60)));
}

function changesOf(links, history) {
  const all = links.flatMap((link) => history.of(link.link).changes.map((change) => ({link, ...change})));
  all.sort((a, b) => b.at - a.at);
  return all.slice(0, 32).map(({link, at, state, reason}) =>
      element('li', {}, `${new Date(at).toLocaleTimeString()} ${shortened(text(link.link))}: ${state}` +
          (reason ? `, ${shortened(reason, 80)}` : '')));
}

function makeParts() {
  const rows = element('tbody');
  const changes = element('ul');
  const heads = [['Link'], ['State'], ['Peer'], ['Round trip', 'number'], ['10 minutes'], ['Loss', 'number'],
    ['10 minutes'], ['Rate', 'number'], ['10 minutes'], ['MTU', 'number'], ['Flaps', 'number'], ['Reason']];
  return {rows, changes, top: [
    tableWith('Links', heads, rows),
    element('h2', {}, 'Changes since this page was opened'),
    changes,
  ]};
}

export function drawLinks(view, links, history) {
  const parts = partsOf(view, makeParts);
  // Trouble first.
  const order = {down: 0, wait: 1, up: 2};
  const sorted = [...links].sort((a, b) =>
      order[stateOf(a).kind] - order[stateOf(b).kind] || text(a.link).localeCompare(text(b.link)));
  parts.rows.replaceChildren(...sorted.map((link) => row(link, history)));
  parts.changes.replaceChildren(...changesOf(links, history));
}
