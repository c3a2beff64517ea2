import type { Point } from './contract.ts';

const SMALLEST = 0.02;
const LARGEST = 3;
/** Below this a whole graph cannot be read: it is shown from its beginning instead. */
const READABLE = 0.4;
const PADDING = 16;
const SLIP = 4;

interface Size {
  readonly width: number;
  readonly height: number;
}

/** Where one looks at a scene from: by pointer, by wheel, by two fingers, by key. */
export class Camera {
  readonly #view: HTMLElement;
  readonly #scene: HTMLElement;
  readonly #moved: (scale: number) => void;
  readonly #pointers = new Map<number, Point>();
  #x = 0;
  #y = 0;
  #scale = 1;
  #content: Size = { width: 0, height: 0 };
  /** Once somebody has moved it, a new size does not. */
  #owner: 'nobody' | 'somebody' = 'nobody';
  #dragged = 0;

  constructor(view: HTMLElement, scene: HTMLElement, moved: (scale: number) => void) {
    this.#view = view;
    this.#scene = scene;
    this.#moved = moved;
    view.addEventListener('wheel', (event) => this.#wheel(event), { passive: false });
    view.addEventListener('pointerdown', (event) => this.#down(event));
    view.addEventListener('pointermove', (event) => this.#drag(event));
    for (const end of ['pointerup', 'pointercancel', 'lostpointercapture'] as const)
      view.addEventListener(end, ({ pointerId }) => this.#pointers.delete(pointerId));
  }

  /** Whether the pointer that was pressed last has moved the scene, so that its release is no click. */
  get hasDragged(): boolean {
    return this.#dragged > SLIP;
  }

  show(content: Size): void {
    this.#content = content;
    this.#owner = 'nobody';
    this.#begin();
  }

  /** The view has another size. */
  resized(): void {
    if (this.#owner === 'nobody') this.#begin();
    else this.#apply();
  }

  fit(): void {
    this.#owner = 'somebody';
    this.#centre(Math.min(1, this.#whole()));
  }

  zoom(factor: number): void {
    this.#zoomAt(factor, { x: this.#view.clientWidth / 2, y: this.#view.clientHeight / 2 });
  }

  pan(dx: number, dy: number): void {
    this.#owner = 'somebody';
    this.#x += dx;
    this.#y += dy;
    this.#apply();
  }

  /** Moves as little as makes a place visible. */
  reveal({ x, y }: Point, { width, height }: Size): void {
    const shift = (at: number, half: number, room: number): number =>
      at - half < PADDING ? PADDING - at + half : at + half > room - PADDING ? room - PADDING - at - half : 0;
    const dx = shift(this.#x + x * this.#scale, (width / 2) * this.#scale, this.#view.clientWidth);
    const dy = shift(this.#y + y * this.#scale, (height / 2) * this.#scale, this.#view.clientHeight);
    if (dx !== 0 || dy !== 0) this.pan(dx, dy);
  }

  #begin(): void {
    const whole = this.#whole();
    if (whole >= READABLE) return this.#centre(Math.min(1, whole));
    this.#scale = READABLE * 1.5;
    // Along its longer side from where it begins, in the middle of the other.
    const { width, height } = this.#content;
    const place = (room: number, size: number, side: 'longer' | 'other'): number =>
      side === 'longer' && size * this.#scale > room ? 0 : (room - size * this.#scale) / 2;
    this.#x = place(this.#view.clientWidth, width, width > height ? 'longer' : 'other');
    this.#y = place(this.#view.clientHeight, height, width > height ? 'other' : 'longer');
    this.#apply();
  }

  #whole(): number {
    const { width, height } = this.#content;
    const { clientWidth, clientHeight } = this.#view;
    if (width === 0 || height === 0) return 1;
    return Math.max(SMALLEST, Math.min((clientWidth - PADDING) / width, (clientHeight - PADDING) / height));
  }

  #centre(scale: number): void {
    this.#scale = scale;
    this.#x = (this.#view.clientWidth - this.#content.width * scale) / 2;
    this.#y = (this.#view.clientHeight - this.#content.height * scale) / 2;
    this.#apply();
  }

  #zoomAt(factor: number, at: Point): void {
    this.#owner = 'somebody';
    const scale = Math.min(LARGEST, Math.max(SMALLEST, this.#scale * factor));
    this.#x = at.x - ((at.x - this.#x) * scale) / this.#scale;
    this.#y = at.y - ((at.y - this.#y) * scale) / this.#scale;
    this.#scale = scale;
    this.#apply();
  }

  #apply(): void {
    this.#scene.style.transform = `translate(${this.#x}px, ${this.#y}px) scale(${this.#scale})`;
    this.#moved(this.#scale);
  }

  /** With Ctrl, and from a pinch on a trackpad, it zooms; else it pans, unless all of the scene is in view: then the page scrolls. */
  #wheel(event: WheelEvent): void {
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault();
      return this.#zoomAt(Math.exp(-event.deltaY / 300), this.#placeOf(event));
    }
    const { width, height } = this.#content;
    const fits = width * this.#scale <= this.#view.clientWidth && height * this.#scale <= this.#view.clientHeight;
    if (fits) return;
    event.preventDefault();
    const turned = event.shiftKey && event.deltaX === 0;
    this.pan(turned ? -event.deltaY : -event.deltaX, turned ? 0 : -event.deltaY);
  }

  #down(event: PointerEvent): void {
    if (event.button !== 0) return;
    if (this.#pointers.size === 0) this.#dragged = 0;
    this.#pointers.set(event.pointerId, this.#placeOf(event));
  }

  #drag(event: PointerEvent): void {
    const before = this.#pointers.get(event.pointerId);
    if (!before) return;
    const now = this.#placeOf(event);
    const [other] = [...this.#pointers].filter(([id]) => id !== event.pointerId).map(([, place]) => place);
    this.#pointers.set(event.pointerId, now);
    this.#dragged += Math.hypot(now.x - before.x, now.y - before.y);
    if (!this.hasDragged) return;
    // Not before: the click that may come shall go to what is under the pointer.
    if (!this.#view.hasPointerCapture(event.pointerId)) this.#view.setPointerCapture(event.pointerId);
    if (!other) return this.pan(now.x - before.x, now.y - before.y);
    const distance = (place: Point): number => Math.max(1, Math.hypot(place.x - other.x, place.y - other.y));
    this.#zoomAt(distance(now) / distance(before), { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 });
  }

  #placeOf({ clientX, clientY }: MouseEvent): Point {
    const { left, top } = this.#view.getBoundingClientRect();
    return { x: clientX - left, y: clientY - top };
  }
}
