// The network of --topology: its gateways and links, and what each gateway's exporter says of its links.

import {finite, stateOf, text} from './format.js';
import {rateBetween} from './history.js';

const patience = 5000;     // in milliseconds
const shortPeriod = 300;   // of asking, for so many links:
const fewLinks = 500;
const longPeriod = 1000;
const ratePeriod = 1000;

// Of the two ends of a link, the worse one says what the link is. An end is null while its gateway is silent.
const order = ['down', 'wait', 'up'];
export function worse(ends) {
  const known = ends.filter((end) => end !== null);
  if (known.length === 0) return null;
  return known.reduce((a, b) => (order.indexOf(stateOf(b).kind) < order.indexOf(stateOf(a).kind) ? b : a));
}

export class Network {
  // told() is called after each answer.
  constructor(told) {
    this.told = told;
    this.gateways = [];  // name, site, exporter, lan; fault, error, and running: whether its site is connected
    this.links = [];     // gateways, names, ends, rate
    this.fault = '';     // of the last question
    this.round = 0;      // counts the calls of start() and stop(): an answer to an earlier question is ignored
    this.timer = null;
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
      if (this.gateways.length === 0) {
        const answer = await questioned('/api/v1/network');
        if (round !== this.round || answer.gateways.length === 0) return;  // there is no topology
        this.gateways = answer.gateways;
        this.links = answer.links.map((link) => ({...link, ends: [null, null], rate: null, counted: [null, null]}));
      }
      const states = await questioned('/api/v1/network/states');
      if (round !== this.round) return;
      this.take(states.gateways, Date.now());
      this.fault = '';
    } catch (error) {
      if (round !== this.round) return;
      this.fault = error.message;
    }
    this.told();
    this.timer = setTimeout(() => this.ask(round), this.links.length > fewLinks ? longPeriod : shortPeriod);
  }

  // `now` in milliseconds.
  take(answers, now) {
    const known = answers.map((answer, index) => {
      const gateway = this.gateways[index];
      gateway.fault = text(answer.fault);
      gateway.error = text(answer.error);
      gateway.running = isConnected(gateway.lan, answer.interfaces);
      return new Map(answer.links.map((link) => [link.link, link]));
    });
    for (const link of this.links) {
      link.ends = link.gateways.map((gateway, end) => {
        if (answers[gateway].fault) return null;
        return known[gateway].get(link.names[end]) ?? {link: link.names[end], fault: 'not_running'};
      });
      count(link, now);
    }
  }
}

// Whether all of these interfaces that the gateway has are running. In a name, '*' matches any characters.
export function isConnected(lan, interfaces) {
  const patterns = lan.map((pattern) => new RegExp(`^${pattern.replaceAll('.', '\\.').replaceAll('*', '.*')}$`));
  const known = interfaces.filter((one) => patterns.some((pattern) => pattern.test(text(one.name))));
  return known.length === 0 ? null : known.every((one) => one.running === true);
}

async function questioned(path) {
  const answer = await fetch(path, {signal: AbortSignal.timeout(patience)});
  if (!answer.ok) throw new Error(await answer.text());
  return answer.json();
}

// The rate of a link is that of the end that is known: both ends count the same packets.
function count(link, now) {
  const rates = link.ends.map((end, index) => {
    const before = link.counted[index];
    if (before !== null && end !== null && now - before.at < ratePeriod) return before.rate;
    const sample = {at: now, rx: finite(end?.rx?.bytes), tx: finite(end?.tx?.bytes), rate: null};
    sample.rate = rateBetween(before, sample);
    link.counted[index] = end === null ? null : sample;
    return sample.rate;
  });
  link.rate = rates.find((rate) => rate !== null) ?? null;
}
