import type { Pixels } from './picture.ts';

export interface Swatch {
  /** `#rrggbb`. */
  readonly colour: string;
  /** Of all pixels, 0 to 1. */
  readonly share: number;
}

export interface Quality {
  /** 0: flat, 1: every edge as hard as it can be. */
  readonly sharpness: number;
  /** Mean brightness, 0 to 1. */
  readonly exposure: number;
}

/** So many levels a channel is reduced to before equal colours are counted. */
const LEVELS = 6;

/** The most frequent colours, each the mean of the pixels that are close to one another. */
export function paletteOf({ data }: Pixels, most: number): readonly Swatch[] {
  const sums = new Map<number, { count: number; red: number; green: number; blue: number }>();
  for (let i = 0; i < data.length; i += 4) {
    const [red, green, blue] = [data[i] as number, data[i + 1] as number, data[i + 2] as number];
    const near = (value: number) => Math.min(LEVELS - 1, Math.floor((value * LEVELS) / 256));
    const key = (near(red) * LEVELS + near(green)) * LEVELS + near(blue);
    const sum = sums.get(key) ?? { count: 0, red: 0, green: 0, blue: 0 };
    sums.set(key, { count: sum.count + 1, red: sum.red + red, green: sum.green + green, blue: sum.blue + blue });
  }
  const pixels = data.length / 4;
  return [...sums.values()]
    .sort((a, b) => b.count - a.count)
    .slice(0, most)
    .map(({ count, red, green, blue }) => ({
      colour: `#${[red, green, blue].map((sum) => hex(sum / count)).join('')}`,
      share: count / pixels,
    }));
}

/** Sharpness is the mean strength of the brightness' Laplacian, which is large where neighbours differ abruptly. */
export function qualityOf({ width, height, data }: Pixels): Quality {
  const brightness = new Float32Array(width * height);
  let sum = 0;
  for (let i = 0; i < brightness.length; i++) {
    const [red, green, blue] = [data[4 * i] as number, data[4 * i + 1] as number, data[4 * i + 2] as number];
    // The weights of Rec. 709: green looks brightest.
    const value = (0.2126 * red + 0.7152 * green + 0.0722 * blue) / 255;
    brightness[i] = value;
    sum += value;
  }
  let edges = 0;
  for (let y = 1; y < height - 1; y++) {
    for (let x = 1; x < width - 1; x++) {
      const i = y * width + x;
      const around = [i - 1, i + 1, i - width, i + width].reduce((sum, j) => sum + (brightness[j] as number), 0);
      edges += Math.abs(4 * (brightness[i] as number) - around) / 4;
    }
  }
  const inside = Math.max(1, (width - 2) * (height - 2));
  // A mean of a quarter is as hard as photographs get.
  return { sharpness: Math.min(1, (4 * edges) / inside), exposure: sum / brightness.length };
}

function hex(value: number): string {
  return Math.round(value).toString(16).padStart(2, '0');
}
