import { html } from './dom.ts';
import { type Ink, type Inks, type Picture, paint } from './timeline-paint.ts';

const NAMES: Readonly<Record<Ink, string>> = {
  text: '--text',
  muted: '--muted',
  line: '--line',
  surface: '--surface',
  accent: '--accent',
  running: '--running',
  succeeded: '--succeeded',
  failed: '--failed',
  offline: '--lost',
  lost: '--lost',
  'given up': '--quiet',
};

interface Look {
  readonly inks: Inks;
  readonly font: string;
  readonly at: number;
}

/** Reading colours makes the browser work out all styles that have changed: not for every frame. */
const LOOK_MS = 1000;

/** A canvas as sharp as the screen, in the colours that its element has at the moment. */
export class TimelineCanvas {
  readonly element: HTMLCanvasElement = html('canvas', { part: 'plot', 'aria-hidden': 'true' });
  /** A canvas knows no custom properties: samples that do, to read the colours from. */
  readonly inks: HTMLElement = html('div', { class: 'inks', 'aria-hidden': 'true' });
  readonly #samples: readonly (readonly [Ink, HTMLElement])[];

  #look: Look | undefined;

  constructor() {
    this.#samples = Object.entries(NAMES).map(([ink, name]) => {
      const sample = html('i');
      sample.style.color = `var(${name})`;
      this.inks.append(sample);
      return [ink as Ink, sample] as const;
    });
  }

  paint(picture: Omit<Picture, 'font'>): void {
    const { scale, height } = picture;
    const ratio = globalThis.devicePixelRatio || 1;
    this.#size(scale.width, height, ratio);
    const context = this.element.getContext('2d');
    if (!context) return;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    const { inks, font } = this.#lookNow();
    paint(context, { ...picture, font }, inks);
  }

  /** The colours are others: those that are known are forgotten. */
  forget(): void {
    this.#look = undefined;
  }

  #lookNow(): Look {
    const now = performance.now();
    if (this.#look && now - this.#look.at < LOOK_MS) return this.#look;
    const inks = Object.fromEntries(
      this.#samples.map(([ink, sample]) => [ink, getComputedStyle(sample).color]),
    ) as Inks;
    this.#look = { inks, font: `11px ${getComputedStyle(this.inks).fontFamily}`, at: now };
    return this.#look;
  }

  /** Only when it has to: a canvas that is given a size is empty. */
  #size(width: number, height: number, ratio: number): void {
    const { element } = this;
    const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (element.width !== w) element.width = w;
    if (element.height !== h) element.height = h;
    element.style.width = `${width}px`;
    element.style.height = `${height}px`;
  }
}
