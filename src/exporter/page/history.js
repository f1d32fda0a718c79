// What the page has seen since it was opened, by link: the last 10 minutes, and the last 32 changes of state.

import {finite, stateOf, text} from './format.js';

const period = 5000;  // of the samples, in milliseconds
const samples = 120;
const changes = 32;

export class History {
  constructor() {
    this.links = new Map();
  }

  // `now` in milliseconds.
  add(link, now) {
    const known = this.links.get(link.link) ?? {latest: null, samples: [], changes: []};
    this.links.set(link.link, known);
    const up = link.carrier === true && !link.fault;
    const sample = {
      at: now,
      rtt: up ? finite(link.rtt_us?.smoothed) : null,
      loss: up ? finite(link.loss) : null,
      rx: finite(link.rx?.bytes),
      tx: finite(link.tx?.bytes),
    };
    sample.rate = rateBetween(known.latest, sample);
    known.latest = sample;
    if (known.samples.length === 0 || now - known.samples.at(-1).at >= period) {
      known.samples.push(sample);
      if (known.samples.length > samples) known.samples.shift();
    }
    const state = stateOf(link).word;
    const reason = text(link.reason_text) || text(link.reason);
    const last = known.changes.at(-1);
    if (last?.state !== state || last.reason !== reason) {
      known.changes.push({at: now, state, reason});
      if (known.changes.length > changes) known.changes.shift();
    }
  }

  of(name) {
    return this.links.get(name) ?? {latest: null, samples: [], changes: []};
  }

  // Bits per second in both directions; null: not known yet.
  rate(name) {
    return this.of(name).latest?.rate ?? null;
  }
}

// Bits per second in both directions; null: not known. `before` may be null.
export function rateBetween(before, sample) {
  if (before === null || before.rx === null || sample.rx === null) return null;
  const bytes = sample.rx - before.rx + sample.tx - before.tx;
  const seconds = (sample.at - before.at) / 1000;
  return bytes < 0 || seconds <= 0 ? null : (8 * bytes) / seconds;  // fewer bytes: the link has restarted
}
