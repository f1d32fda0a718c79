// The views of the exporter's page on a document of this test: node page_test.mjs DIRECTORY-OF-THE-PAGE
import assert from 'node:assert';

import {Element, copied} from './page_elements.mjs';

const copy = copied(process.argv[2]);
const {drawLinks} = await import(`${copy}/links.js`);
const {drawMap} = await import(`${copy}/map.js`);
const {drawRoutes} = await import(`${copy}/routes.js`);
const {History} = await import(`${copy}/history.js`);
const {rate} = await import(`${copy}/format.js`);

const hostile = '<img src=x onerror=alert(1)>';
const sound = {
  link: 'a', carrier: true, state: 'up', mtu: 1380, flaps: 4, peer: {name: hostile}, reason: null,
  rtt_us: {smoothed: 1500}, loss: 0.05, rx: {bytes: 0}, tx: {bytes: 0},
};
const down = {...sound, link: 'b', carrier: false, state: 'connecting', reason: 'handshaking'};
const silent = {link: 'c', fault: 'no_answer'};
const odd = {link: 7, carrier: true, peer: null, rx: null, rtt_us: 'x', loss: {}, mtu: null};
const links = [sound, down, silent, odd, {}];

const history = new History();
for (let second = 0; second < 1000; ++second) {
  sound.rx.bytes += 125000;  // 1 Mbit/s
  for (const link of links) history.add(link, 1000 * second);
}
assert.equal(rate(history.rate('a')), '1.0 Mbit/s');
assert.equal(history.of('a').samples.length, 120);
assert.deepEqual([history.of('a').samples[0].loss, history.of('b').samples[0].loss], [0.05, null]);
assert.equal(history.of('b').changes.length, 1);
for (let i = 0; i < 100; ++i) history.add({...down, reason: `reason ${i}`}, 1000000 + 1000 * i);
assert.equal(history.of('b').changes.length, 32);
history.add({...sound, rx: {bytes: 1}}, 2000000);
assert.equal(history.rate('a'), null, 'a link that has restarted has no rate');

const view = new Element('main');
drawMap(view, links, history, 'V1-1');
assert.match(view.text(), /V1-1/);
assert.match(view.text(), /a: 1\.50 ms, 5\.0 %/);
assert.match(view.text(), /c: no answer/);
assert.equal(view.all('img').length, 0);
assert.ok(view.text().includes(hostile), 'the hostile name is text');
assert.equal(view.all('svg')[0].attributes['aria-label'].slice(0, 31), '2 of 5 links of V1-1 are up. Th');

const table = new Element('div');
drawLinks(table, links, history);
const rows = table.all('tbody')[0].all('tr').map((row) => row.text().split('|'));
assert.equal(rows.length, 5);
assert.deepEqual(rows.map((row) => row[1]), ['down', 'no answer', 'connecting', 'up', 'up'], 'trouble comes first');
assert.equal(table.all('tr')[1].all('svg').length, 3);
assert.equal(table.all('li').length, 32);
assert.equal(table.all('img').length, 0);
const scrolled = table.children[0];
drawLinks(table, [], history);
assert.equal(table.all('tbody')[0].all('tr').length, 0);
assert.equal(table.children[0], scrolled, 'the table keeps its place');

const narrow = new Element('div');
narrow.clientWidth = 288;
drawMap(narrow, links, history, 'V1-1');
assert.equal(narrow.all('svg')[0].attributes.viewBox, '0 0 288 320');
assert.equal(narrow.all('path').length, 5);

const sessions = new Element('div');
drawRoutes(sessions, [{bird: 'p', sessions: [
  {protocol: 'S', state: 'Established', neighbor: '10.255.0.2', link: 'a', routes: {ipv4: {imported: 3, exported: 1}}}, {}]}, {}],
[{bird: 'q', reason: 'no_answer'}, {link: 'c', reason: 'no_answer'}]);
assert.match(sessions.text(), /BIRD q does not answer: no answer/);
assert.match(sessions.text(), /S\|p\|Established\|10\.255\.0\.2\|a\|3 IPv4\|1 IPv4/);

drawMap(view, [], history, 'V1-1');
assert.equal(view.all('path').length, 0);
drawRoutes(sessions, [], []);
assert.match(sessions.text(), /There is no BGP session/);
console.log('ok - the views of the page');

// --- the looking glass ------------------------------------------------------------------------------

const {Lookup} = await import(`${copy}/lookup.js`);
let asked = '';
let given = null;
globalThis.fetch = async (path) => {
  asked = path;
  if (given === null) throw new Error('no network');
  return given;
};
const lookup = new Lookup();
lookup.links = links;
const form = lookup.element.all('form')[0];
async function submit(prefix) {
  let prevented = false;
  lookup.field.value = prefix;
  form.heard.submit({preventDefault: () => { prevented = true; }});
  for (let i = 0; i < 10; ++i) await null;
  assert.ok(prevented, 'the browser sends no form');
}
assert.equal(lookup.element.all('label')[0].attributes.for, lookup.field.attributes.id);
given = {ok: true, json: async () => ({
  prefix: '10.2.0.9/32',
  birds: [{bird: 'private', routes: [
    {table: 'master4', network: '10.2.0.0/24', type: 'unicast', protocol: 'IBGP', since: '09:00', from: '10.255.0.2', best: true,
      preference: '100', next_hops: [{address: '10.255.0.2', interface: 'rv1', weight: '2', link: 'a'}],
      attributes: {'Type': 'BGP univ', 'BGP.as_path': hostile}},
    {table: 'master4', network: '10.2.0.0/24', type: 'unreachable', protocol: 'S', since: null, from: null, best: false,
      preference: null, next_hops: [], attributes: {}},
  ]}],
  faults: [{bird: 'public', reason: 'no_answer', error: null}],
})};
await submit(' 10.2.0.9 ');
assert.equal(asked, '/api/v1/routes?prefix=10.2.0.9');
assert.match(lookup.result.text(), /BIRD public does not answer: no answer/);
const found = lookup.result.all('tbody')[0].all('tr').map((row) => row.text().split('|'));
assert.equal(found.length, 2);
assert.deepEqual(found[0].slice(0, 7), ['10.2.0.0/24', 'private, master4', 'best',
  '10.255.0.2, link a to <img src=x onerror=alert(1)>, weight 2', 'IBGP, from 10.255.0.2', '100', '09:00']);
assert.deepEqual(found[1], ['10.2.0.0/24', 'private, master4', 'spare', 'unreachable', 'S', '–', '–', '–']);
assert.ok(lookup.result.text().includes('BGP.as_path: ' + hostile));
assert.equal(lookup.result.all('img').length, 0);
await submit('10.0.0.1&x=<');
assert.equal(asked, '/api/v1/routes?prefix=10.0.0.1%26x%3D%3C');
given = {ok: true, json: async () => ({prefix: '11.0.0.1/32', birds: [{bird: 'private', routes: []}], faults: []})};
await submit('11.0.0.1');
assert.equal(lookup.result.text(), 'No route covers 11.0.0.1/32.');
given = {ok: false, text: async () => 'prefix: must be an address'};
await submit('x');
assert.equal(lookup.result.text(), 'prefix: must be an address');
given = null;
await submit('10.0.0.1');
assert.equal(lookup.result.text(), 'no network');
console.log('ok - the looking glass of the page');

// --- the stream -------------------------------------------------------------------------------------

class Stream {
  constructor(path) {
    this.path = path;
    this.heard = {};
    Stream.opened.push(this);
  }
  addEventListener(name, hear) { this.heard[name] = hear; }
  send(name, state) { this.heard[name]({data: JSON.stringify(state)}); }
  close() { this.isClosed = true; }
  static opened = [];
}
const timers = new Map();
let lastTimer = 0;
let now = 0;
globalThis.EventSource = Stream;
globalThis.setTimeout = (run, delay) => (timers.set(++lastTimer, {run, at: now + delay}), lastTimer);
globalThis.clearTimeout = (timer) => timers.delete(timer);
Date.now = () => now;
let answer = null;
globalThis.fetch = async () => answer;
// Runs what is due until this time.
async function pass(milliseconds) {
  const end = now + milliseconds;
  for (;;) {
    const due = [...timers].filter(([, timer]) => timer.at <= end).sort((a, b) => a[1].at - b[1].at)[0];
    if (due === undefined) break;
    timers.delete(due[0]);
    now = Math.max(now, due[1].at);
    due[1].run();
    for (let i = 0; i < 10; ++i) await null;  // the answer of fetch
  }
  now = end;
}

const {Live, merged} = await import(`${copy}/live.js`);
const before = {links: [{link: 'a', carrier: true}, {link: 'b', carrier: true}, {link: 'c', carrier: true}], birds: [], faults: []};
assert.deepEqual(
    merged(before, {links: [{link: 'b', carrier: false}], birds: [1], faults: [{link: 'c', reason: 'no_answer'}]}),
    {links: [{link: 'a', carrier: true}, {link: 'b', carrier: false}], birds: [1], faults: [{link: 'c', reason: 'no_answer'}]});

const told = [];
const faults = [];
const live = new Live((state) => told.push(state), (fault) => faults.push(fault));
live.start();
assert.equal(Stream.opened[0].path, '/api/v1/events');
Stream.opened[0].send('change', {links: [], birds: [], faults: []});
assert.equal(told.length, 0, 'a change of a status that is not known');
Stream.opened[0].send('status', before);
Stream.opened[0].send('change', {links: [{link: 'a', carrier: false}], birds: [], faults: []});
assert.equal(told.at(-1).links.find((link) => link.link === 'a').carrier, false);
await pass(4000);
Stream.opened[0].send('status', before);
await pass(4000);
assert.equal(Stream.opened.length, 1);
assert.ok(!Stream.opened[0].isClosed);

// The stream becomes silent: the page asks once a second, and opens a stream after some time.
answer = {ok: true, json: async () => ({...before, asked: true})};
await pass(1000);
for (let i = 0; i < 10; ++i) await null;
assert.ok(Stream.opened[0].isClosed, 'a silent stream is given up');
assert.equal(told.at(-1).asked, true);
const answers = told.length;
await pass(3000);
assert.equal(told.length, answers + 3);
assert.equal(Stream.opened.length, 1);
await pass(10000);
assert.equal(Stream.opened.length, 2);

// The exporter refuses the stream, and then it does not answer.
answer = {ok: false, text: async () => 'no directory'};
Stream.opened[1].onerror();
for (let i = 0; i < 10; ++i) await null;
assert.ok(Stream.opened[1].isClosed);
assert.equal(faults.at(-1), 'no directory');
await pass(20000);
assert.equal(Stream.opened.length, 2, 'no stream while there is no answer');
answer = {ok: true, json: async () => before};
await pass(1000);
assert.equal(Stream.opened.length, 3, 'the exporter is back');

live.stop();
assert.ok(Stream.opened[2].isClosed);
const count = told.length;
await pass(60000);
assert.equal(told.length, count, 'a page that nobody sees does not ask');
assert.equal(Stream.opened.length, 3);
console.log('ok - the stream of the page');
