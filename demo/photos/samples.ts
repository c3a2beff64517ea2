import { draw, type Picture, type Size } from './picture.ts';

/** A landscape painted by chance: the same seed paints the same picture. */
export async function paintSample(seed: number): Promise<Picture> {
  const random = generator(seed);
  const size: Size = random() < 0.6 ? { width: 960, height: 640 } : { width: 640, height: 960 };
  return draw(size, (context) => paint(context, size, random));
}

type Random = () => number;

function paint(context: OffscreenCanvasRenderingContext2D, { width, height }: Size, random: Random): void {
  const hue = random() * 360;
  const horizon = height * (0.35 + random() * 0.25);

  const sky = context.createLinearGradient(0, 0, 0, horizon);
  sky.addColorStop(0, `hsl(${hue} 60% ${20 + random() * 40}%)`);
  sky.addColorStop(1, `hsl(${(hue + 40) % 360} 80% 78%)`);
  context.fillStyle = sky;
  context.fillRect(0, 0, width, height);

  const sun = { x: width * (0.2 + random() * 0.6), y: horizon * (0.35 + random() * 0.4), r: 24 + random() * 60 };
  const glow = context.createRadialGradient(sun.x, sun.y, sun.r / 2, sun.x, sun.y, sun.r * 4);
  glow.addColorStop(0, 'rgb(255 246 214 / 0.9)');
  glow.addColorStop(1, 'rgb(255 246 214 / 0)');
  context.fillStyle = glow;
  context.fillRect(0, 0, width, height);
  context.fillStyle = '#fff6d6';
  circle(context, sun.x, sun.y, sun.r);

  const ranges = 3 + Math.floor(random() * 3);
  for (let i = 0; i < ranges; i++) {
    const nearness = (i + 1) / ranges;
    const base = horizon + (height - horizon) * 0.5 * (i / ranges);
    context.fillStyle = `hsl(${(hue + 200 + i * 8) % 360} ${20 + 30 * nearness}% ${62 - 42 * nearness}%)`;
    ridge(context, { width, height }, base, 30 + 90 * (1 - nearness) * random() + 40 * random(), random);
  }
  const trees = 6 + Math.floor(random() * 18);
  for (let i = 0; i < trees; i++) {
    const y = height * (0.8 + random() * 0.17);
    tree(context, random() * width, y, 20 + (y / height) ** 4 * 90 * (0.6 + random() * 0.5), (hue + 130) % 360);
  }
}

function ridge(
  context: OffscreenCanvasRenderingContext2D,
  { width, height }: Size,
  base: number,
  amplitude: number,
  random: Random,
): void {
  const waves = [1.3, 3.1, 7.7].map((frequency) => ({ frequency, phase: random() * Math.PI * 2 }));
  context.beginPath();
  context.moveTo(0, height);
  for (let x = 0; x <= width; x += 4) {
    const lift = waves.reduce((sum, { frequency, phase }) => {
      return sum + Math.sin((x / width) * frequency * Math.PI + phase) / frequency;
    }, 0);
    context.lineTo(x, base - amplitude * lift);
  }
  context.lineTo(width, height);
  context.fill();
}

function tree(context: OffscreenCanvasRenderingContext2D, x: number, y: number, size: number, hue: number): void {
  context.fillStyle = `hsl(${hue} 35% 18%)`;
  for (let level = 0; level < 3; level++) {
    const top = y - size + level * size * 0.25;
    const half = size * (0.16 + 0.09 * level);
    context.beginPath();
    context.moveTo(x, top);
    context.lineTo(x - half, top + size * 0.42);
    context.lineTo(x + half, top + size * 0.42);
    context.fill();
  }
}

function circle(context: OffscreenCanvasRenderingContext2D, x: number, y: number, r: number): void {
  context.beginPath();
  context.arc(x, y, r, 0, Math.PI * 2);
  context.fill();
}

/** Mulberry32: small, and good enough to paint with. */
function generator(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
