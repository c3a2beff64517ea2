import type { StepView } from 'fuseline';
import type { Quality, Swatch } from '../photos/analysis.ts';
import { blobOf, type Picture, type Size } from '../photos/picture.ts';

/** What a node of the graph shows of its own result: a picture, swatches, bars, or text. */
export function showResult(step: StepView, result: unknown): Node | undefined {
  if (isPicture(result)) return picture(step.name, result);
  if (isPalette(result)) return palette(result);
  if (isQuality(result))
    return bars([
      ['sharp', result.sharpness],
      ['light', result.exposure],
    ]);
  if (isSize(result)) return text(`${result.width} × ${result.height}`);
  if (typeof result === 'string') return text(result.length > 16 ? `${result.slice(0, 16)}…` : result);
  return undefined;
}

function picture(name: string, picture: Picture): Node {
  const image = document.createElement('img');
  image.alt = `what ${name} made`;
  image.decoding = 'async';
  const address = URL.createObjectURL(blobOf(picture));
  image.addEventListener('load', () => URL.revokeObjectURL(address), { once: true });
  image.src = address;
  return image;
}

function palette(swatches: readonly Swatch[]): Node {
  const row = document.createElement('span');
  row.setAttribute('role', 'img');
  row.setAttribute('aria-label', `colours ${swatches.map(({ colour }) => colour).join(', ')}`);
  row.style.display = 'flex';
  for (const { colour, share } of swatches) {
    const swatch = document.createElement('span');
    swatch.style.cssText = `flex:${share} 1 6px;height:24px;background:${colour}`;
    row.append(swatch);
  }
  return row;
}

function bars(shares: readonly (readonly [label: string, share: number])[]): Node {
  const list = document.createElement('span');
  list.style.cssText = 'display:grid;grid-template-columns:auto 1fr;gap:2px 6px;align-items:center';
  for (const [label, share] of shares) {
    const meter = document.createElement('meter');
    meter.value = share;
    meter.setAttribute('aria-label', label);
    meter.style.width = '100%';
    list.append(label, meter);
  }
  return list;
}

function text(text: string): Node {
  const code = document.createElement('code');
  code.textContent = text;
  return code;
}

function isPicture(value: unknown): value is Picture {
  return has(value, 'bytes') && value.bytes instanceof Uint8Array;
}

function isPalette(value: unknown): value is readonly Swatch[] {
  return Array.isArray(value) && value.length > 0 && value.every((item) => has(item, 'colour'));
}

function isQuality(value: unknown): value is Quality {
  return has(value, 'sharpness') && has(value, 'exposure');
}

function isSize(value: unknown): value is Size {
  return has(value, 'width') && has(value, 'height');
}

function has<Name extends string>(value: unknown, name: Name): value is { readonly [N in Name]: unknown } {
  return typeof value === 'object' && value !== null && name in value;
}
