// The network of --topology: its gateways and links, and the latest state that each gateway's exporter reported.

import {finite, stateOf, text} from './format.js';
import {rateBetween} from './history.js';

const patience = 5000;     // in milliseconds
const shortPeriod = 300;   // of asking, for so many links:
const fewLinks = 500;
const longPeriod = 1000;
const ratePeriod = 1000;

// The end of a link that has the worse state. An end is null while its gateway is silent; null: both are.
const order = ['down', 'wait', 'up'];
export function worse(ends) {
  const known = ends.filter((end) => end !== null);
  if (known.length === 0) return null;
  return known.reduce((a, b) => (order.indexOf(stateOf(b).kind) < order.indexOf(stateOf(a).kind) ? b : a));
}

export class Network {
  // changed() is called after each answer.
  constructor(changed) {
    this.changed = changed;
    this.version = null;  // of the topology
    this.gateways = [];   // name, site, exporter, lan; fault, error, and running: whether its site is connected
    this.links = [];      // gateways, names, ends, rate
    this.own = {name: '', links: new Map()};
    this.fault = '';      // of the last question
    this.round = 0;       // counts the calls of start() and stop(): an answer to an earlier question is ignored
    this.timer = null;
  }

  // Without exporters in the topology, nothing is known but the own links.
  get isKnown() {
    return this.gateways.some((gateway) => gateway.exporter !== null);
  }

  // The gateway of this exporter, whose links the page knows sooner.
  setOwn(name, links) {
    this.own = {name, links: new Map(links.map((link) => [link.link, link]))};
  }

  // Asks until stop().
  start() {
    this.stop();
    this.ask(this.round);
  }

  stop() {
    clearTimeout(this.timer);
    this.round += 1;
  }

  async ask(round) {
    try {
      if (this.version === null) {
        const answer = await questioned('/api/v1/network');
        if (round !== this.round) return;
        this.takeNetwork(answer);
      }
      if (!this.isKnown) return;
      const states = await questioned('/api/v1/network/states');
      if (round !== this.round) return;
      this.fault = '';
      if (states.version === this.version) this.take(states.gateways, Date.now());
      else this.version = null;  // the exporter has started again with another topology
    } catch (error) {
      if (round !== this.round) return;
      this.fault = error.message;
    }
    this.changed();
    this.timer = setTimeout(() => this.ask(round), this.links.length > fewLinks ? longPeriod : shortPeriod);
  }

  takeNetwork(answer) {
    this.version = answer.version;
    this.gateways = answer.gateways;
    this.links = answer.links.map((link) => ({...link, ends: [null, null], rate: null, counted: [null, null]}));
  }

  // `now` in milliseconds.
  take(answers, now) {
    const known = answers.map((answer, index) => {
      const gateway = this.gateways[index];
      const isOwn = gateway.name === this.own.name;
      gateway.fault = isOwn ? '' : text(answer.fault);
      gateway.error = isOwn ? '' : text(answer.error);
      gateway.running = isConnected(gateway.lan, answer.interfaces);
      return isOwn ? {at: now, links: this.own.links} :
        {at: finite(answer.at_ms), links: new Map(answer.links.map((link) => [link.link, link]))};
    });
    for (const link of this.links) {
      link.ends = link.gateways.map((gateway, end) => {
        if (this.gateways[gateway].fault) return null;
        return known[gateway].links.get(link.names[end]) ?? {link: link.names[end], fault: 'not_running'};
      });
      count(link, link.gateways.map((gateway) => known[gateway].at));
    }
  }
}

// Whether all of these interfaces that the gateway has are running; null: unknown. In a name, '*' matches any
// characters.
export function isConnected(lan, interfaces) {
  const patterns = lan.map((pattern) => new RegExp(`^${pattern.replaceAll('.', '\\.').replaceAll('*', '.*')}$`));
  const known = interfaces.filter((one) => patterns.some((pattern) => pattern.test(text(one.name))));
  return known.length === 0 ? null : known.every((one) => one.running === true);
}

// The field shows that the request comes from this page, and not from a page of another site.
async function questioned(path) {
  const answer = await fetch(path, {headers: {'X-Routevpn': 'map'}, signal: AbortSignal.timeout(patience)});
  if (!answer.ok) throw new Error(await answer.text());
  return answer.json();
}

// The rate of a link is that of an end that is known: both ends count the same packets. `times`, in milliseconds, are
// those at which the ends were asked.
function count(link, times) {
  const rates = link.ends.map((end, index) => {
    const before = link.counted[index];
    if (before !== null && end !== null && times[index] - before.at < ratePeriod) return before.rate;
    const sample = {at: times[index], rx: finite(end?.rx?.bytes), tx: finite(end?.tx?.bytes), rate: null};
    sample.rate = rateBetween(before, sample);
    link.counted[index] = end === null ? null : sample;
    return sample.rate;
  });
  link.rate = rates.find((rate) => rate !== null) ?? null;
}
