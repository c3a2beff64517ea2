/** A page without a script, which does nothing but what its one button says. */
export function linkPage(content: Html, status = 200): Response {
  const { text } = html`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>Fuseline</title>
<style>${new Html(STYLE)}</style>
<main>${content}</main>
</html>
`;
  return new Response(text, { status, headers: HEADERS });
}

/** Text that is known to be HTML. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** Whatever is put into it is text, unless it is known to be HTML; absent, it is nothing. */
export function html(parts: TemplateStringsArray, ...values: readonly (string | Html | undefined)[]): Html {
  return new Html(String.raw({ raw: parts }, ...values.map(escaped)));
}

function escaped(value: string | Html | undefined = ''): string {
  if (value instanceof Html) return value.text;
  return value.replace(/[&"'<>]/g, (character) => `&#${character.charCodeAt(0)};`);
}

export const STYLE =
  'body{font:1rem/1.5 system-ui,sans-serif;max-width:36rem;margin:3rem auto;padding:0 1rem}h1,dd{overflow-wrap:anywhere}p::first-letter{text-transform:uppercase}dt{font-weight:600}dd{margin:0 0 .75rem}button{font:inherit;padding:.5rem 1.25rem}';

const HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  // Of the style above.
  'content-security-policy':
    "default-src 'none'; style-src 'sha256-GqWakzE1MpWFwJTtojiNw6r6sKtc94/1DzMYR6WqjSc='; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  // The address is the link.
  'referrer-policy': 'no-referrer',
};
