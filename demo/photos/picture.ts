/** An image file's bytes, as they are recorded: of any type the browser decodes. */
export interface Picture {
  readonly type: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

export interface Pixels extends Size {
  /** Red, green, blue and alpha of every pixel, row by row, 0 to 255. */
  readonly data: Uint8ClampedArray;
}

const JPEG_QUALITY = 0.85;

export async function pictureOf(file: Blob): Promise<Picture> {
  return { type: file.type, bytes: new Uint8Array(await file.arrayBuffer()) };
}

export function blobOf({ type, bytes }: Picture): Blob {
  return new Blob([bytes], { type });
}

export async function sizeOf(picture: Picture): Promise<Size> {
  const bitmap = await decode(picture);
  const { width, height } = bitmap;
  bitmap.close();
  return { width, height };
}

/** The whole picture, no side longer than `longest` pixels. */
export async function resize(picture: Picture, longest: number): Promise<Picture> {
  const bitmap = await decode(picture);
  const scale = Math.min(1, longest / Math.max(bitmap.width, bitmap.height));
  return draw(scaled(bitmap, scale), (context, { width, height }) => {
    context.drawImage(bitmap, 0, 0, width, height);
    bitmap.close();
  });
}

/** The middle of the picture that has the given proportions, filling `size`. */
export async function crop(picture: Picture, size: Size): Promise<Picture> {
  const bitmap = await decode(picture);
  const scale = Math.max(size.width / bitmap.width, size.height / bitmap.height);
  const { width, height } = scaled(bitmap, scale);
  return draw(size, (context) => {
    context.drawImage(bitmap, (size.width - width) / 2, (size.height - height) / 2, width, height);
    bitmap.close();
  });
}

/** The pixels of the picture made small enough that no side is longer than `longest`. */
export async function pixelsOf(picture: Picture, longest: number): Promise<Pixels> {
  const bitmap = await decode(picture);
  const { width, height } = scaled(bitmap, Math.min(1, longest / Math.max(bitmap.width, bitmap.height)));
  const context = contextOf(new OffscreenCanvas(width, height));
  context.drawImage(bitmap, 0, 0, width, height);
  bitmap.close();
  return { width, height, data: context.getImageData(0, 0, width, height).data };
}

/** A JPEG of `size`, painted by `paint` on white. */
export async function draw(
  size: Size,
  paint: (context: OffscreenCanvasRenderingContext2D, size: Size) => void,
): Promise<Picture> {
  const canvas = new OffscreenCanvas(size.width, size.height);
  const context = contextOf(canvas);
  context.fillStyle = 'white';
  context.fillRect(0, 0, size.width, size.height);
  paint(context, size);
  return pictureOf(await canvas.convertToBlob({ type: 'image/jpeg', quality: JPEG_QUALITY }));
}

export async function decode(picture: Picture): Promise<ImageBitmap> {
  return createImageBitmap(blobOf(picture));
}

function scaled({ width, height }: Size, scale: number): Size {
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
}

function contextOf(canvas: OffscreenCanvas): OffscreenCanvasRenderingContext2D {
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (!context) throw new Error('this browser has no 2d canvas outside the page');
  return context;
}
