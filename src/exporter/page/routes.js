// The view Routes: the BGP sessions of every BIRD and what each has learned and announced.

import {element, shortened, text} from './format.js';

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

export function drawRoutes(view, birds, faults) {
  const rows = birds.flatMap((bird) => (bird.sessions ?? []).map((session) => row(bird, session)));
  const silent = faults.filter((fault) => 'bird' in fault).map((fault) =>
      element('p', {class: 'down'}, `BIRD ${shortened(text(fault.bird))} does not answer: ` +
          text(fault.reason).replaceAll('_', ' ') + (fault.error ? ` (${shortened(text(fault.error), 80)})` : '')));
  if (rows.length === 0) rows.push(element('tr', {}, element('td', {colspan: 7}, 'There is no BGP session.')));
  view.replaceChildren(...silent,
      element('div', {class: 'wide'},
          element('table', {},
              element('thead', {}, element('tr', {},
                  ...['Session', 'BIRD', 'State', 'Neighbour', 'Link', 'Learned', 'Announced'].map((name) =>
                    element('th', {scope: 'col'}, name)))),
              element('tbody', {}, ...rows))));
}
