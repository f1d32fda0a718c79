// The status as it changes: by server-sent events, or by asking once a second while there is no stream.

const period = 1000;    // of asking, in milliseconds
const patience = 5000;  // a stream that is silent for longer is given up
const pause = 10000;    // before the next attempt to open a stream

// The links that have changed replace those of the same name.
export function merged(state, change) {
  const changed = new Map(change.links.map((link) => [link.link, link]));
  const silent = new Set(change.faults.map((fault) => fault.link));
  const kept = state.links.filter((link) => !changed.has(link.link) && !silent.has(link.link));
  return {...change, links: [...kept, ...changed.values()]};
}

export class Live {
  // told(state) gets each new status, failed(text) why there is none.
  constructor(told, failed) {
    this.told = told;
    this.failed = failed;
    this.state = null;
    this.stream = null;
    this.timer = null;
    this.round = 0;  // counts the calls of stop(): an answer to an earlier question is ignored
  }

  start() {
    this.stop();
    this.listen();
  }

  stop() {
    this.stream?.close();
    this.stream = null;
    clearTimeout(this.timer);
    this.round += 1;
  }

  listen() {
    const stream = new EventSource('/api/v1/events');
    this.stream = stream;
    stream.addEventListener('status', (event) => this.take(JSON.parse(event.data)));
    stream.addEventListener('change', (event) => {
      if (this.state !== null) this.take(merged(this.state, JSON.parse(event.data)));
    });
    stream.onerror = () => {
      if (this.stream === stream) this.fallBack();
    };
    this.expectEvent();
  }

  take(state) {
    this.state = state;
    this.expectEvent();
    this.told(state);
  }

  expectEvent() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.fallBack(), patience);
  }

  fallBack() {
    this.stop();
    this.ask(Date.now() + pause);
  }

  // Asks until the time of the next attempt to open a stream.
  async ask(end) {
    const round = this.round;
    try {
      const answer = await fetch('/api/v1/status', {signal: AbortSignal.timeout(patience)});
      const state = answer.ok ? await answer.json() : null;
      const fault = answer.ok ? '' : await answer.text();
      if (round !== this.round) return;
      if (state === null) throw new Error(fault);
      this.state = state;
      this.told(state);
      if (Date.now() >= end) {
        this.listen();
        return;
      }
    } catch (error) {
      if (round !== this.round) return;
      this.failed(error.message);
    }
    this.timer = setTimeout(() => this.ask(end), period);
  }
}
