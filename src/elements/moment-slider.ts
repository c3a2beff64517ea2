import { html, set } from './dom.ts';

const KNOB_PX = 11;

export interface SliderActs {
  /** The pointer is at so many pixels from the left. */
  readonly point: (x: number) => void;
  /** So many steps forwards; infinitely many to either end. */
  readonly move: (by: number) => void;
}

export interface SliderState {
  /** CSS pixels. */
  readonly x: number;
  readonly width: number;
  readonly value: number;
  readonly last: number;
  readonly text: string;
}

/** Lies over the axis of a timeline, and chooses the moment that is shown. */
export class MomentSlider {
  readonly #knob = html('div', { class: 'knob' });
  readonly element: HTMLElement = html(
    'div',
    {
      class: 'slider',
      part: 'slider',
      role: 'slider',
      tabindex: '0',
      'aria-label': 'Moment that is shown',
      'aria-valuemin': '0',
    },
    this.#knob,
  );

  constructor({ point, move }: SliderActs) {
    const { element } = this;
    const scrub = ({ clientX }: PointerEvent): void => point(clientX - element.getBoundingClientRect().left);
    element.addEventListener('pointerdown', (event) => {
      if (event.button !== 0) return;
      element.setPointerCapture(event.pointerId);
      scrub(event);
    });
    element.addEventListener('pointermove', (event) => {
      if (element.hasPointerCapture(event.pointerId)) scrub(event);
    });
    element.addEventListener('keydown', (event) => {
      const by = MOMENT_KEYS[event.key];
      if (by === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      move(by);
    });
  }

  show({ x, width, value, last, text }: SliderState): void {
    this.#knob.style.transform = `translateX(${Math.min(width - KNOB_PX / 2, x)}px)`;
    set(this.element, 'aria-valuemax', String(Math.max(0, last)));
    set(this.element, 'aria-valuenow', String(Math.max(0, value)));
    set(this.element, 'aria-valuetext', text);
  }
}

const MOMENT_KEYS: Readonly<Record<string, number>> = {
  ArrowLeft: -1,
  ArrowDown: -1,
  ArrowRight: 1,
  ArrowUp: 1,
  PageDown: -10,
  PageUp: 10,
  Home: Number.NEGATIVE_INFINITY,
  End: Number.POSITIVE_INFINITY,
  Escape: Number.POSITIVE_INFINITY,
};
