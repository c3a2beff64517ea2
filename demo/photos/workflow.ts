import { type Context, typed, workflow } from 'fuseline';
import { paletteOf, qualityOf } from './analysis.ts';
import { contactSheet } from './contact-sheet.ts';
import { crop, type Picture, pixelsOf, resize, sizeOf } from './picture.ts';

export interface Photo {
  readonly name: string;
  readonly picture: Picture;
}

/** What the page may do to a step before its body runs; the engine knows nothing of it. */
export type Meddle = (step: string, context: Pick<Context, 'attempt' | 'signal'>) => Promise<void>;

const WIDE = { width: 960, height: 540 };
const TALL = { width: 540, height: 960 };
const SWATCHES = 6;
/** Pixels of the longer side that palette and quality are read from. */
const READ_AT = 320;

/** Everything the demo finds out about a photo, by the means of the browser alone. */
export const photoWorkflow = (meddle: Meddle) =>
  workflow('photo', { input: typed<Photo>(), defaults: { retry: 3 } }, ($) => {
    const after =
      <Needs, Result>(body: (needs: Needs) => Result | Promise<Result>) =>
      async (needs: Needs, context: Context): Promise<Awaited<Result>> => {
        await meddle(context.step, context);
        context.signal.throwIfAborted();
        return await body(needs);
      };

    const size = $.step(
      'decode',
      { photo: $.input },
      after(({ photo }) => sizeOf(photo.picture)),
    );
    const seen = { photo: $.input, size };
    const small = $.step(
      'small',
      seen,
      after(({ photo }) => resize(photo.picture, 160)),
    );
    const medium = $.step(
      'medium',
      seen,
      after(({ photo }) => resize(photo.picture, 480)),
    );
    const large = $.step(
      'large',
      seen,
      after(({ photo }) => resize(photo.picture, 1280)),
    );
    const palette = $.step(
      'palette',
      seen,
      after(async ({ photo }) => paletteOf(await pixelsOf(photo.picture, READ_AT), SWATCHES)),
    );
    const quality = $.step(
      'quality',
      seen,
      after(async ({ photo }) => qualityOf(await pixelsOf(photo.picture, READ_AT))),
    );
    const hash = $.step(
      'sha-256',
      { photo: $.input },
      after(({ photo }) => sha256(photo.picture.bytes)),
    );

    const format = $.branch(
      'format',
      { size },
      after(({ size }) => (size.width >= size.height ? 'wide' : 'tall')),
    );
    const wide = $.step(
      'frame-wide',
      { large },
      after(({ large }) => crop(large, WIDE)),
      { after: format.on('wide') },
    );
    const tall = $.step(
      'frame-tall',
      { large },
      after(({ large }) => crop(large, TALL)),
      { after: format.on('tall') },
    );
    return $.step('contact-sheet', { framed: $.any(wide, tall), small, palette, quality, hash }, after(contactSheet), {
      after: medium,
    });
  });

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
