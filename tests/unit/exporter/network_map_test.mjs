// The map of a network on a document of this test: node network_map_test.mjs DIRECTORY-OF-THE-PAGE
import assert from 'node:assert';

import {Element, copied} from './page_elements.mjs';

const copy = copied(process.argv[2]);
const {Network, isConnected, worse} = await import(`${copy}/network.js`);
const {NetworkMap, layout} = await import(`${copy}/network_map.js`);
const {Zoom} = await import(`${copy}/zoom.js`);

const hostile = '<img src=x onerror=alert(1)>';
const up = {link: 'rv2', carrier: true, state: 'up', rtt_us: {smoothed: 1500}, loss: 0, rx: {bytes: 0}, tx: {bytes: 0}};
const down = {link: 'rv1', carrier: false, state: 'connecting', reason: 'no_answer', reason_text: hostile};

// --- which end counts -------------------------------------------------------------------------------

assert.equal(worse([null, null]), null);
assert.equal(worse([up, null]), up);
assert.equal(worse([up, down]), down);
assert.equal(worse([{link: 'x', fault: 'not_running'}, down]).fault, 'not_running');

// --- whether a site is connected ------------------------------------------------------------------------

const running = {name: 'lan0', running: true};
const without = {name: 'lan1', running: false};
assert.equal(isConnected(['lan'], [running]), null);
assert.equal(isConnected(['lan0'], [running, without]), true);
assert.equal(isConnected(['lan*'], [running, without]), false);
assert.equal(isConnected(['lan0'], [{}, {name: 7}]), null);

// --- the states that are told -------------------------------------------------------------------------

const gateways = [['V1', 'paris'], ['V2', 'berlin'], ['V3', 'oslo']].map(([name, site]) => ({name, site, exporter: '10.0.0.1:9586', lan: ['lan']}));
const answers = {
  '/api/v1/network': {gateways, links: [[0, 1], [0, 2], [1, 2]].map((ends) => ({gateways: ends, names: ends.map((end) => `rv${4 - end}`)}))},
  '/api/v1/network/states': null,
};
// gateway 0 calls its links rv4 and rv4: each end has the name of the gateway behind it.
answers['/api/v1/network'].links.forEach((link) => {
  link.names = [`rv${link.gateways[1] + 1}`, `rv${link.gateways[0] + 1}`];
});
const told = (fault, ...links) => ({fault, error: null, links, interfaces: fault ? [] : [{name: 'lan', running: links.length !== 1}]});
answers['/api/v1/network'].version = '1';
answers['/api/v1/network/states'] = {version: '1', gateways: [
  told(null, {...up, link: 'rv2'}, {...up, link: 'rv3'}), told(null, {...down}), told('no_answer')]};
let timers = [];
globalThis.setTimeout = (act, ms) => { timers.push({act, ms}); return timers.length; };
globalThis.clearTimeout = () => { timers = []; };
const asked = [];
globalThis.fetch = async (path) => {
  asked.push(path);
  const answer = structuredClone(answers[path]);
  return answer === null ? {ok: false, text: async () => 'refused'} : {ok: true, json: async () => answer};
};
async function settle() {
  for (let i = 0; i < 20; ++i) await null;
}

let draws = 0;
const network = new Network(() => { draws += 1; });
network.start();
await settle();
assert.deepEqual(asked, ['/api/v1/network', '/api/v1/network/states']);
assert.equal(draws, 1);
let [first, second, third] = network.links;
assert.equal(first.ends[0].state, 'up');
assert.equal(first.ends[1].state, 'connecting');
assert.equal(second.ends[1], null, 'the gateway is silent');
assert.equal(third.ends[0].fault, 'not_running', 'the gateway answers, and has no such link');
timers[0].act();
await settle();
assert.equal(asked.length, 3, 'the topology is asked for once');
answers['/api/v1/network'].version = answers['/api/v1/network/states'].version = '2';
for (let i = 0; i < 2; ++i) {
  timers.at(-1).act();
  await settle();
}
assert.equal(asked.length, 6, 'it is asked for again when the exporter has another one');
assert.equal(timers.at(-1).ms, 300);

// Both ends count the same packets; a rate needs a second between two answers. The time of the page does not count.
[first, second, third] = network.links;
const at = (ms, bytes) => network.take([
  {...told(null, {...up, rx: {bytes}, tx: {bytes: 0}}, {...up, link: 'rv3'}), at_ms: ms},
  {...told(null, {...down}), at_ms: ms}, told('no_answer')], 1);
first.counted = [null, null];
at(10000, 0);
assert.equal(first.rate, null);
at(10300, 1e6);
assert.equal(first.rate, null, 'too early for another sample');
at(12000, 250000);
assert.equal(first.rate, 1e6);

// The own links are known without a question.
network.setOwn('V3', [{...up, link: 'rv1', state: 'up'}]);
network.take([told(null, {...up}, {...up, link: 'rv3'}), told(null, {...down}), told('no_answer')], 1);
assert.equal(second.ends[1].state, 'up');
assert.equal(network.gateways[2].fault, '');
network.setOwn('', []);
at(14000, 500000);

// --- the map ------------------------------------------------------------------------------------------

const map = new NetworkMap(network, false);
assert.ok(map.fits(network, false) && !map.fits(network, true));
network.setOwn('V2', []);
map.draw();
assert.deepEqual(map.drawing.all('circle').map((circle) => circle.attributes.class), ['node', 'node own', 'node']);
network.setOwn('', []);
assert.match(map.element.text(), /1 of 3 links of the network are up/);
assert.ok(map.troubles.text().includes(hostile), 'the hostile reason is text');
assert.equal(map.element.all('img').length, 0);
const lines = () => map.drawing.all('path').map((path) => path.attributes.class);
assert.deepEqual(lines(), ['edge wait', 'edge up', 'edge down', 'edge up', 'edge down', 'edge off'], 'links, then sites');
assert.match(map.troubles.text(), /no carrier\| V2 – berlin/);
assert.match(map.drawing.text(), /1\.50 ms, 0\.0 %, (–|0 bit\/s)\|\|1\.50 ms, (–|0 bit\/s)/, 'the label has loss only if there is some');
assert.match(map.drawing.text(), /V2, berlin/);
network.take([told('no_answer'), told('no_answer'), told('no_answer')], 3e12);
map.draw();
assert.deepEqual(lines(), Array(6).fill('edge off'));
assert.match(map.drawing.text(), /V1, paris: no answer/);
assert.equal(map.troubles.all('li').length, 6, 'gateways and links');
answers['/api/v1/network/states'] = null;
timers.at(-1).act();
await settle();
map.draw();
assert.match(map.words.text(), /The exporter does not answer: refused/);

for (const sites of [1, 2, 3, 100]) {
  const many = Array.from({length: 2 * sites}, (_, i) => ({name: `V${i}`, site: `s${i % sites}`}));
  const places = layout(many, false);
  for (const [index, place] of places.at.entries()) {
    assert.ok(place.x > 0 && place.x < places.width && place.y > 0 && place.y < places.height, `gateway ${index} of ${sites} sites`);
    for (const other of places.at.slice(0, index)) assert.ok(Math.hypot(place.x - other.x, place.y - other.y) > 40);
  }
}
const lonely = new Network(() => {});
lonely.takeNetwork({version: '1', gateways: [{name: 'V1', site: 's', exporter: null, lan: []}], links: []});
assert.ok(!lonely.isKnown, 'without exporters in the topology the page shows the own links');
const many = new Network(() => {});
many.gateways = Array.from({length: 20}, (_, i) => ({name: `V${i}`, site: `s${i >> 1}`, exporter: null, lan: []}));
many.links = many.gateways.slice(3).flatMap((_, i) => [0, 1, 2].map((end) =>
    ({gateways: [end, i + 3], names: ['a', 'b'], ends: [up, up], rate: null})));
const crowd = new NetworkMap(many, true);
crowd.draw();
assert.equal(crowd.drawing.all('text').filter((label) => label.attributes.class === 'soft' && label.text() !== '').length, 0,
    'labels of many links would cover each other');
assert.match(crowd.drawing.all('title')[0].text(), /1\.50 ms/);

// --- the zoom -----------------------------------------------------------------------------------------

const drawing = new Element('svg');
const zoom = new Zoom(drawing, 1000, 500);
const press = (key) => {
  let prevented = false;
  drawing.heard.keydown({key, preventDefault: () => { prevented = true; }});
  return prevented;
};
assert.equal(drawing.attributes.viewBox, '0.0 0.0 1000.0 500.0');
assert.ok(press('+'));
assert.equal(drawing.attributes.viewBox, '0.0 0.0 1000.0 500.0');
assert.equal(drawing.style.transform, 'scale(1.25) translate(-10%, -10%)', 'until it rests, the picture is scaled');
timers.at(-1).act();
assert.equal(drawing.attributes.viewBox, '100.0 50.0 800.0 400.0');
assert.equal(drawing.style.transform, 'none');
for (let i = 0; i < 100; ++i) press('ArrowLeft');
assert.equal(zoom.part.x, 0, 'what is shown stays within the drawing');
for (let i = 0; i < 100; ++i) press('-');
zoom.settle();
assert.equal(drawing.attributes.viewBox, '0.0 0.0 1000.0 500.0');
assert.ok(!press('Tab'), 'other keys stay the browser\'s');
for (const button of zoom.buttons.all('button')) assert.ok(button.attributes['aria-label']);
zoom.buttons.all('button')[0].heard.click();
assert.equal(zoom.part.width, 800);
console.log('ok - the map of a network');
