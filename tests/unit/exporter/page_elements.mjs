// The parts of a browser's document that the page uses, and a copy of the page that node can load.
import assert from 'node:assert';
import {copyFileSync, mkdtempSync, readdirSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';

export class Element {
  constructor(name) {
    this.name = name;
    this.attributes = {};
    this.children = [];
    this.heard = {};
    this.style = {};
  }
  addEventListener(name, hear) { this.heard[name] = hear; }
  setAttribute(key, value) {
    assert.doesNotMatch(String(value), /NaN|undefined/, `${this.name} ${key}`);
    this.attributes[key] = String(value);
  }
  append(...children) { this.children.push(...children); }
  replaceChildren(...children) { this.children = children; }
  get textContent() { return this.text(); }
  set textContent(text) { this.children = [text]; }
  text() { return this.children.map((child) => (child instanceof Element ? child.text() : String(child))).join('|'); }
  all(name) {
    return this.children.filter((child) => child instanceof Element)
        .flatMap((child) => [...(child.name === name ? [child] : []), ...child.all(name)]);
  }
}
globalThis.document = {
  createElement: (name) => new Element(name),
  createElementNS: (space, name) => new Element(name),
};

// Node takes a .js file for a module only beside such a package.json.
export function copied(directory) {
  const copy = mkdtempSync(`${tmpdir()}/routevpn-page-`);
  process.on('exit', () => rmSync(copy, {recursive: true}));
  writeFileSync(`${copy}/package.json`, '{"type": "module"}');
  for (const file of readdirSync(directory)) copyFileSync(`${directory}/${file}`, `${copy}/${file}`);
  return copy;
}
