import type { HonoRequest } from 'hono';
import { FuselineError } from '../core/errors.ts';
import type { Fields, Route } from './route.ts';
import { ANYTHING, type ObjectShape, type Shape, shaped } from './shape.ts';

interface Taken {
  readonly path: Readonly<Record<string, unknown>>;
  readonly query: Readonly<Record<string, unknown>>;
  readonly body: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, unknown>>;
}

/** What a request brings, each part of the shape its route says. Throws `INVALID_REQUEST`. */
export async function taken(
  { path = {}, query = {}, headers = {}, body }: Route,
  request: HonoRequest,
): Promise<Taken> {
  return {
    path: each(path, (name) => request.param(name)),
    query: queryOf(request, query),
    headers: each(headers, (name) => request.header(name)),
    body: body ? await bodyOf(request, body) : {},
  };
}

function each(fields: Fields, given: (name: string) => unknown): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, shape]) => [name, shaped<string>(given(name), shape, name)]),
  );
}

function queryOf(request: HonoRequest, fields: Fields): Readonly<Record<string, unknown>> {
  const given: Readonly<Record<string, string[]>> = request.queries();
  const unknown = Object.keys(given).find((name) => !Object.hasOwn(fields, name));
  if (unknown !== undefined) {
    const known = Object.keys(fields);
    throw new FuselineError(
      'INVALID_REQUEST',
      `the query has ${JSON.stringify(unknown)}; it may have ${known.length === 0 ? 'nothing' : known.join(', ')}`,
    );
  }
  return Object.fromEntries(
    Object.entries(given).map(([name, texts]) => [name, valueIn(texts, fields[name] as Shape, name)]),
  );
}

function valueIn(texts: readonly string[], shape: Shape, name: string): unknown {
  const type = 'type' in shape ? shape.type : undefined;
  if (type === 'array') return shaped(texts, shape, name);
  const [text = '', ...more] = texts;
  if (more.length > 0) throw new FuselineError('INVALID_REQUEST', `${name} comes more than once in the query`);
  return shaped(type === 'integer' && text.trim() !== '' ? Number(text) : text, shape, name);
}

/** The body as JSON of this shape; without a body, an empty object. */
async function bodyOf(request: HonoRequest, shape: ObjectShape): Promise<Readonly<Record<string, unknown>>> {
  const text = await request.text();
  if (text === '') return shaped({}, shape, 'the body');
  if (!/^application\/json\b/i.test(request.header('content-type') ?? '')) {
    throw new FuselineError('INVALID_REQUEST', 'send the body as JSON, with content-type: application/json');
  }
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch (cause) {
    throw new FuselineError('INVALID_REQUEST', `the body is not JSON: ${(cause as Error).message}`, { cause });
  }
  return shaped(shaped(body, ANYTHING, 'the body'), shape, 'the body');
}
