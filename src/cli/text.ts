// Bidirectional overrides and zero-width characters can make one text look like another.
const UNSAFE = /[\p{Cc}\p{Zl}\p{Zp}\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/gu;
const WIDE =
  /\p{Emoji_Presentation}|[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6]/u;

/** Most of what is printed: nothing in it is wide, or joins what comes before. */
const NARROW = /^[\x20-\x7e\xa1-\xac\xae-\u02ff\u2010-\u2027\u2190-\u2319\u2500-\u25fc\u2713-\u2727]*$/;
let segmenter: Intl.Segmenter | undefined;

/** A text from outside in one line that cannot move the cursor, change colours or hide anything. */
export function oneLine(text: string): string {
  return text.replace(UNSAFE, escaped);
}

/** The same, where line breaks may stay. */
export function lines(text: string): string[] {
  return text.split(/\r?\n/).map((line) => oneLine(line.replaceAll('\t', '  ')));
}

/** Escaped so that a JSON document stays the same document. */
export function safeJson(json: string): string {
  return json.replace(UNSAFE, (character) => (character === '\n' ? character : escaped(character)));
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** Columns on a terminal. */
export function widthOf(text: string): number {
  if (NARROW.test(text)) return text.length;
  let width = 0;
  for (const { segment } of graphemesOf(text)) width += WIDE.test(segment) ? 2 : 1;
  return width;
}

/** Shortened to so many columns, with an ellipsis. */
export function clip(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text;
  let shown = '';
  let width = 1;
  for (const { segment } of graphemesOf(text)) {
    width += widthOf(segment);
    if (width > columns) break;
    shown += segment;
  }
  return `${shown}…`;
}

/** Broken at spaces into lines of so many columns; what has no spaces is broken anywhere. */
export function wrap(text: string, columns: number): string[] {
  const wrapped: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && widthOf(line) + 1 + widthOf(word) > columns) {
      wrapped.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
    while (widthOf(line) > columns) {
      const head = clip(line, columns + 1).slice(0, -1);
      if (head === '') break;
      wrapped.push(head);
      line = line.slice(head.length);
    }
  }
  return [...wrapped, line];
}

/** Made when it is first needed: to make it takes a twentieth of a command's start. */
function graphemesOf(text: string): Intl.Segments {
  segmenter ??= new Intl.Segmenter(undefined, { granularity: 'grapheme' });
  return segmenter.segment(text);
}
