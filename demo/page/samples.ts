import { pictureOf } from '../photos/picture.ts';
import { paintSample } from '../photos/samples.ts';
import type { Photo } from '../photos/workflow.ts';

/** `first` counts the samples painted so far, so that no two look alike. */
export async function samplePhotos(first: number, count: number): Promise<readonly Photo[]> {
  const numbers = Array.from({ length: count }, (_, i) => first + i);
  return Promise.all(numbers.map(async (n) => ({ name: `sample ${n + 1}`, picture: await paintSample(n) })));
}

/** Files that are no pictures are left out. */
export async function droppedPhotos(files: Iterable<File>): Promise<readonly Photo[]> {
  const pictures = [...files].filter(({ type }) => type.startsWith('image/'));
  return Promise.all(
    pictures.map(async (file): Promise<Photo> => ({ name: file.name, picture: await pictureOf(file) })),
  );
}
