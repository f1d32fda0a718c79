// Texts of the page's figures, and elements. Names come from certificates and from BIRD: they become text
// nodes only, never markup.

export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

export function shape(name, attributes = {}, ...children) {
  const made = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

const kept = new WeakMap();

// The parts of a view that stay while their content changes, so that a table keeps its place when it is
// scrolled: made by the first call for this view.
export function partsOf(view, make) {
  if (!kept.has(view)) {
    const parts = make();
    view.replaceChildren(...parts.top);
    kept.set(view, parts);
  }
  return kept.get(view);
}

// A table whose rows change. It scrolls in itself, also by the keyboard.
export function tableWith(label, heads, rows) {
  return element('div', {class: 'wide', tabindex: 0, role: 'region', 'aria-label': label},
      element('table', {},
          element('thead', {}, element('tr', {}, ...heads.map(([name, kind]) =>
              element('th', {scope: 'col', class: kind ?? ''}, name)))),
          rows));
}

export function text(value) {
  return typeof value === 'string' ? value : '';
}

export function finite(value) {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

export function shortened(name, longest = 40) {
  return name.length > longest ? name.slice(0, longest - 1) + '…' : name;
}

export function milliseconds(microseconds) {
  const value = finite(microseconds);
  if (value === null) return '–';
  return (value / 1000).toFixed(value < 10000 ? 2 : 1) + ' ms';
}

export function percent(ratio) {
  const value = finite(ratio);
  return value === null ? '–' : (100 * value).toFixed(1) + ' %';
}

export function rate(bitsPerSecond) {
  const value = finite(bitsPerSecond);
  if (value === null) return '–';
  const units = ['bit/s', 'kbit/s', 'Mbit/s', 'Gbit/s'];
  let shown = value;
  let unit = 0;
  while (shown >= 1000 && unit < units.length - 1) {
    shown /= 1000;
    unit += 1;
  }
  return shown.toFixed(unit === 0 || shown >= 100 ? 0 : 1) + ' ' + units[unit];
}

// What the page says of a link: up, down, or why neither is known.
export function stateOf(link) {
  if (link.fault) return {word: link.fault.replaceAll('_', ' '), kind: 'down'};
  if (link.carrier === true) return {word: 'up', kind: 'up'};
  return {word: text(link.state) || 'down', kind: link.state === 'connecting' ? 'wait' : 'down'};
}

export function peerOf(link) {
  return text(link.peer?.name) || text(link.remote) || 'unknown peer';
}
