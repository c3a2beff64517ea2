import { routePath } from 'hono/route';
import { Hono } from 'hono/tiny';
import { files } from './files.ts';

export interface UiOptions {
  /** Where the routes to the runs are: an address, or a path from the page's own. `..` unless told. */
  readonly runs?: string;
  /** What the page calls what it shows. */
  readonly title?: string;
}

/**
 * A page that shows runs, and commands them for those who may: `app.route('/ui', ui())`, where `app` has the routes to
 * the runs. Everybody may load it; what it shows is asked of the routes, with the token they want.
 */
export function ui(options: UiOptions = {}): Hono {
  const { runs = '..', title = '' } = options;
  const policy = policyFor(runs);
  const app = new Hono();
  app.get('*', (context) => {
    const { pathname } = new URL(context.req.url);
    const mount = routePath(context).replace(/\/?\*$/, '');
    // What the page asks for stands beside it.
    if (pathname === mount) return context.redirect(`${pathname}/`);
    const name = pathname.slice(pathname.lastIndexOf('/') + 1) || 'index.html';
    const file = Object.hasOwn(files, name) ? files[name] : undefined;
    if (!file) return context.json({ error: { code: 'INVALID_REQUEST', message: `there is no ${pathname}` } }, 404);
    const text = name === 'index.html' ? filled(file.text, { runs, title }) : file.text;
    return context.body(text, 200, { ...HEADERS, 'content-type': file.type, 'content-security-policy': policy });
  });
  return app;
}

const HEADERS = {
  'cache-control': 'no-cache',
  'cross-origin-opener-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

function policyFor(runs: string): string {
  const elsewhere = URL.canParse(runs) ? ` ${new URL(runs).origin}` : '';
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    `connect-src 'self'${elsewhere}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    'trusted-types lit-html',
  ].join('; ');
}

function filled(template: string, terms: Readonly<Record<string, string>>): string {
  return template.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const term = terms[name];
    return term === undefined ? whole : term.replace(/[&"<>]/g, (character) => `&#${character.charCodeAt(0)};`);
  });
}
