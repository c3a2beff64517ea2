import type { Quality, Swatch } from './analysis.ts';
import { decode, draw, type Picture, type Size } from './picture.ts';

export interface Sheet {
  readonly framed: Picture;
  readonly small: Picture;
  readonly palette: readonly Swatch[];
  readonly quality: Quality;
  readonly hash: string;
}

const SHEET: Size = { width: 640, height: 440 };
const EDGE = 20;
const INK = '#20242b';
const FAINT = '#7a828e';

/** One card that shows all that was found out about a photo. */
export async function contactSheet({ framed, small, palette, quality, hash }: Sheet): Promise<Picture> {
  const [large, thumbnail] = await Promise.all([decode(framed), decode(small)]);
  return draw(SHEET, (context) => {
    const room = { width: 400, height: SHEET.height - 2 * EDGE - 60 };
    place(context, large, { x: EDGE, y: EDGE }, room);
    const column = EDGE + room.width + EDGE;
    place(context, thumbnail, { x: column, y: EDGE }, { width: SHEET.width - column - EDGE, height: 130 });

    let y = EDGE + 150;
    for (const [label, share] of [
      ['sharpness', quality.sharpness],
      ['exposure', quality.exposure],
    ] as const) {
      context.fillStyle = FAINT;
      context.font = '13px system-ui, sans-serif';
      context.fillText(`${label} ${Math.round(share * 100)} %`, column, y + 12);
      context.fillStyle = '#e4e7eb';
      context.fillRect(column, y + 20, SHEET.width - column - EDGE, 8);
      context.fillStyle = '#3563d8';
      context.fillRect(column, y + 20, (SHEET.width - column - EDGE) * share, 8);
      y += 46;
    }

    let x = EDGE;
    const total = palette.reduce((sum, { share }) => sum + share, 0) || 1;
    for (const { colour, share } of palette) {
      const width = ((SHEET.width - 2 * EDGE) * share) / total;
      context.fillStyle = colour;
      context.fillRect(x, SHEET.height - EDGE - 42, width, 20);
      x += width;
    }
    context.fillStyle = INK;
    context.font = '12px ui-monospace, monospace';
    context.fillText(`SHA-256 ${hash}`, EDGE, SHEET.height - EDGE, SHEET.width - 2 * EDGE);
    large.close();
    thumbnail.close();
  });
}

function place(
  context: OffscreenCanvasRenderingContext2D,
  bitmap: ImageBitmap,
  { x, y }: { readonly x: number; readonly y: number },
  room: Size,
): void {
  const scale = Math.min(room.width / bitmap.width, room.height / bitmap.height);
  context.drawImage(bitmap, x, y, bitmap.width * scale, bitmap.height * scale);
}
