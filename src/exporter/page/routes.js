// The view Routes below the looking glass: the BGP sessions of every BIRD, and how many routes each has.

import {element, partsOf, shortened, tableWith, text} from './format.js';

function counts(session, direction) {
  const routes = session.routes ?? {};
  return ['ipv4', 'ipv6'].filter((family) => family in routes)
      .map((family) => `${routes[family][direction]} ${family === 'ipv4' ? 'IPv4' : 'IPv6'}`).join(', ') || '–';
}

function row(bird, session) {
  const up = session.state === 'Established';
  return element('tr', {},
      element('th', {scope: 'row'}, shortened(text(session.protocol))),
      element('td', {}, shortened(text(bird.bird))),
      element('td', {class: up ? 'up' : 'down'}, shortened(text(session.state)) || 'down'),
      element('td', {}, shortened(text(session.neighbor))),
      element('td', {}, shortened(text(session.link)) || '–'),
      element('td', {}, counts(session, 'imported')),
      element('td', {}, counts(session, 'exported')));
}

function makeParts() {
  const silent = element('div');
  const rows = element('tbody');
  const heads = ['Session', 'BIRD', 'State', 'Neighbour', 'Link', 'Learned', 'Announced'].map((name) => [name]);
  return {silent, rows, top: [silent, element('h2', {}, 'BGP sessions'), tableWith('BGP sessions', heads, rows)]};
}

export function drawRoutes(view, birds, faults) {
  const parts = partsOf(view, makeParts);
  const rows = birds.flatMap((bird) => (bird.sessions ?? []).map((session) => row(bird, session)));
  if (rows.length === 0) rows.push(element('tr', {}, element('td', {colspan: 7}, 'There is no BGP session.')));
  parts.rows.replaceChildren(...rows);
  parts.silent.replaceChildren(...faults.filter((fault) => 'bird' in fault).map((fault) =>
      element('p', {class: 'down'}, `BIRD ${shortened(text(fault.bird))} does not answer: ` +
          text(fault.reason).replaceAll('_', ' ') + (fault.error ? ` (${shortened(text(fault.error), 80)})` : ''))));
}
