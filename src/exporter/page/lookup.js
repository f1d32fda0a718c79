// The looking glass of the view Routes: asks for the routes to an address or prefix.

import {element, peerOf, shortened, tableWith, text} from './format.js';

// Where packets go: the next hops, each with its link and the peer behind it.
function goal(route, links) {
  const hops = route.next_hops ?? [];
  if (hops.length === 0) return [text(route.type) || '–'];
  return hops.map((hop) => {
    const link = links.find((known) => known.link === hop.link);
    const address = text(hop.address) || 'directly';
    const way = hop.link ? `link ${shortened(text(hop.link))}` : `interface ${shortened(text(hop.interface)) || '–'}`;
    const peer = link ? ` to ${shortened(peerOf(link), 28)}` : '';
    const weight = hop.weight ? `, weight ${text(hop.weight)}` : '';
    return element('div', {}, `${shortened(address)}, ${way}${peer}${weight}`);
  });
}

function attributes(route) {
  const known = Object.entries(route.attributes ?? {});
  if (known.length === 0) return ['–'];
  return [element('details', {},
      element('summary', {}, shortened(text(route.attributes.Type), 20) || 'all'),
      ...known.map(([name, value]) => element('div', {}, `${shortened(name)}: ${shortened(text(value), 200)}`)))];
}

function row(bird, route, links) {
  const from = text(route.from);
  return element('tr', {},
      element('th', {scope: 'row'}, shortened(text(route.network))),
      element('td', {}, `${shortened(text(bird.bird))}, ${shortened(text(route.table))}`),
      element('td', {class: route.best ? 'up' : ''}, route.best ? 'best' : 'spare'),
      element('td', {}, ...goal(route, links)),
      element('td', {}, shortened(text(route.protocol)) + (from ? `, from ${shortened(from)}` : '')),
      element('td', {class: 'number'}, text(route.preference) || '–'),
      element('td', {}, shortened(text(route.since)) || '–'),
      element('td', {}, ...attributes(route)));
}

export class Lookup {
  constructor() {
    this.links = [];  // of the newest status
    this.field = element('input', {id: 'prefix', name: 'prefix', size: 24, maxlength: 64, autocomplete: 'off', spellcheck: 'false'});
    this.result = element('div', {'aria-live': 'polite'});
    const form = element('form', {},
        element('label', {for: 'prefix'}, 'Address or prefix'),
        this.field,
        element('button', {type: 'submit'}, 'Show its routes'));
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.ask(this.field.value.trim());
    });
    this.element = element('div', {}, form, this.result);
  }

  async ask(prefix) {
    try {
      const answer = await fetch('/api/v1/routes?prefix=' + encodeURIComponent(prefix), {signal: AbortSignal.timeout(5000)});
      if (!answer.ok) throw new Error(await answer.text());
      this.show(await answer.json());
    } catch (error) {
      this.result.replaceChildren(element('p', {class: 'down'}, shortened(error.message, 200)));
    }
  }

  show(all) {
    const rows = all.birds.flatMap((bird) => bird.routes.map((route) => row(bird, route, this.links)));
    const faults = all.faults.map((fault) => element('p', {class: 'down'},
        `BIRD ${shortened(text(fault.bird))} does not answer: ${text(fault.error) || text(fault.reason).replaceAll('_', ' ')}`));
    const none = element('p', {}, `No route covers ${text(all.prefix)}.`);
    const heads = [['Network'], ['BIRD, table'], ['Use'], ['Next hop'], ['Learned by'], ['Preference', 'number'], ['Since'],
      ['Attributes']];
    const title = `Routes to ${text(all.prefix)}, ${new Date().toLocaleTimeString()}`;
    const table = [element('h2', {}, title), tableWith(title, heads, element('tbody', {}, ...rows))];
    this.result.replaceChildren(...faults, ...(rows.length === 0 ? [none] : table));
  }
}
