import { html } from './dom.ts';
import { hasSameGround, type Ink, type Inks, type Picture, paint, paintChanges } from './timeline-paint.ts';

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
}

/** A canvas as sharp as the screen, in the colours that its element has at the moment. */
export class TimelineCanvas {
  readonly element: HTMLCanvasElement = html('canvas', { part: 'plot', 'aria-hidden': 'true' });
  /** A canvas knows no custom properties: samples that do, to read the colours from. */
  readonly inks: HTMLElement = html('div', { class: 'inks', 'aria-hidden': 'true' });
  readonly #samples: readonly (readonly [Ink, HTMLElement])[];
  /** Read once: reading makes the browser work out all styles that have changed. */
  #look: Look | undefined;
  /** What is on the canvas. */
  #painted: Picture | undefined;

  /** `recoloured`: hears that the colours are others, whatever made them so. */
  constructor(recoloured: () => void) {
    this.#samples = Object.entries(NAMES).map(([ink, name]) => {
      const sample = html('i');
      sample.style.color = `var(${name})`;
      this.inks.append(sample);
      return [ink as Ink, sample] as const;
    });
    this.inks.addEventListener('transitionend', () => {
      if (!this.#look) return;
      this.#look = undefined;
      this.#painted = undefined;
      recoloured();
    });
  }

  paint(shown: Omit<Picture, 'font'>): void {
    const { scale, height } = shown;
    const ratio = globalThis.devicePixelRatio || 1;
    if (this.#size(scale.width, height, ratio) === 'emptied') this.#painted = undefined;
    const context = this.element.getContext('2d');
    if (!context) return;
    this.#look ??= this.#read();
    const { inks, font } = this.#look;
    const picture = { ...shown, font };
    const before = this.#painted;
    this.#painted = picture;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    if (before && hasSameGround(before, picture)) paintChanges(context, before, picture, inks);
    else paint(context, picture, inks);
  }

  #read(): Look {
    const inks = Object.fromEntries(
      this.#samples.map(([ink, sample]) => [ink, getComputedStyle(sample).color]),
    ) as Inks;
    return { inks, font: `11px ${getComputedStyle(this.inks).fontFamily}` };
  }

  /** Only when it has to: a canvas that is given a size is empty. */
  #size(width: number, height: number, ratio: number): 'emptied' | 'kept' {
    const { element } = this;
    const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (element.width === w && element.height === h) return 'kept';
    element.width = w;
    element.height = h;
    element.style.width = `${width}px`;
    element.style.height = `${height}px`;
    return 'emptied';
  }
}
