// Moves and enlarges a drawing: by buttons, keys, wheel and dragging.

import {element} from './format.js';

const step = 1.25;
const largest = 40;
const rest = 150;  // after the last movement, in milliseconds

export class Zoom {
  constructor(drawing, width, height) {
    this.drawing = drawing;
    this.whole = {x: 0, y: 0, width, height};
    this.part = {...this.whole};   // what is shown
    this.drawn = {...this.whole};  // what the browser has drawn
    this.timer = null;
    drawing.style.aspectRatio = `${width} / ${height}`;
    drawing.style.maxWidth = `${(85 * width) / height}vh`;
    this.buttons = element('div', {class: 'buttons'},
        this.button('Enlarge', '+', () => this.scale(step)),
        this.button('Reduce', '−', () => this.scale(1 / step)),
        this.button('Show all', 'All', () => this.show(this.whole)));
    drawing.setAttribute('tabindex', '0');
    drawing.addEventListener('keydown', (event) => this.key(event));
    drawing.addEventListener('wheel', (event) => this.wheel(event), {passive: false});
    drawing.addEventListener('pointermove', (event) => {
      const {clientWidth, clientHeight} = this.drawing;
      if (event.buttons === 1) this.move(-event.movementX / clientWidth, -event.movementY / clientHeight);
    });
    this.frame = element('div', {class: 'frame'}, drawing);
    this.settle();
  }

  button(label, sign, act) {
    const made = element('button', {type: 'button', 'aria-label': label}, sign);
    made.addEventListener('click', act);
    return made;
  }

  // While it moves, the browser scales the picture that it has: to draw thousands of lines takes longer than a frame.
  show(part) {
    this.part = {...part};
    const {drawn} = this;
    const [x, y] = [(drawn.x - part.x) / drawn.width, (drawn.y - part.y) / drawn.height].map((share) => 100 * share);
    this.drawing.style.transform = `scale(${drawn.width / part.width}) translate(${x}%, ${y}%)`;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.settle(), rest);
  }

  settle() {
    const {x, y, width, height} = this.part;
    this.drawn = {...this.part};
    this.drawing.style.transform = 'none';
    this.drawing.setAttribute('viewBox', [x, y, width, height].map((value) => value.toFixed(1)).join(' '));
  }

  // About the point at these shares of the drawing.
  scale(factor, x = 0.5, y = 0.5) {
    const width = Math.min(Math.max(this.part.width / factor, this.whole.width / largest), this.whole.width);
    const height = (width * this.whole.height) / this.whole.width;
    this.place({
      x: this.part.x + x * (this.part.width - width),
      y: this.part.y + y * (this.part.height - height),
      width, height,
    });
  }

  // By these shares of the part that is shown.
  move(x, y) {
    this.place({...this.part, x: this.part.x + x * this.part.width, y: this.part.y + y * this.part.height});
  }

  // What is shown stays within the drawing.
  place(part) {
    const inside = (at, length, whole) => Math.min(Math.max(at, 0), whole - length);
    this.show({...part, x: inside(part.x, part.width, this.whole.width), y: inside(part.y, part.height, this.whole.height)});
  }

  key(event) {
    const moves = {ArrowLeft: [-0.1, 0], ArrowRight: [0.1, 0], ArrowUp: [0, -0.1], ArrowDown: [0, 0.1]};
    if (event.key in moves) this.move(...moves[event.key]);
    else if (event.key === '+') this.scale(step);
    else if (event.key === '-') this.scale(1 / step);
    else if (event.key === '0') this.show(this.whole);
    else return;
    event.preventDefault();
  }

  // With Ctrl, as maps do: a wheel alone scrolls the page.
  wheel(event) {
    if (!event.ctrlKey) return;
    event.preventDefault();
    const box = this.frame.getBoundingClientRect();  // that of the drawing has its transform
    this.scale(event.deltaY < 0 ? step : 1 / step, (event.clientX - box.x) / this.drawing.clientWidth,
        (event.clientY - box.y) / this.drawing.clientHeight);
  }
}
