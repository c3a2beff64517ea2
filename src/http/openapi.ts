import { type AnswerSpec, type Fields, type Route, route } from './route.ts';
import type { Shape } from './shape.ts';
import { STATUSES } from './statuses.ts';

/** The route that describes these routes and itself. */
export function openApiRoute(others: readonly Route[]): Route {
  const own: Route = route({
    method: 'GET',
    at: '/openapi.json',
    name: 'getOpenApi',
    does: 'This document.',
    for: 'everybody',
    answers: { 200: { says: 'OpenAPI 3.1' } },
    handle: ({ request }) => Response.json(openApi([...others, own], new URL('.', request.url).href)),
  });
  return own;
}

/** The OpenAPI 3.1 document of the routes: of the same shapes that check the requests. */
export function openApi(routes: readonly Route[], server: string): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const one of routes) {
    const path = one.at.replaceAll(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [one.method.toLowerCase()]: operation(one) };
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Fuseline', version: '1', description: 'Durable workflows over HTTP.' },
    servers: [{ url: server }],
    paths,
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
      schemas: { Error: ERROR },
      responses: {
        Error: { description: 'The request was refused, or the service failed.', content: json(ERROR_REF) },
      },
    },
  };
}

const ERROR_REF = { $ref: '#/components/schemas/Error' } as const;

const ERROR = {
  type: 'object',
  required: ['error'],
  properties: {
    error: {
      type: 'object',
      required: ['code', 'message'],
      properties: {
        code: { type: 'string', description: 'stable', examples: [...STATUSES.keys()] },
        message: { type: 'string', description: 'for people; may change' },
      },
    },
  },
} as const;

function operation({ name, does, for: admitted, path = {}, query = {}, headers = {}, body, answers }: Route): object {
  const responses = Object.entries(answers).map(([status, answer]) => [status, response(answer)] as const);
  return {
    operationId: name,
    summary: does,
    ...(Array.isArray(admitted) ? { security: [{ token: [] }], 'x-roles': admitted } : { security: [] }),
    parameters: [...parameters('path', path), ...parameters('query', query), ...parameters('header', headers)],
    ...(body && { requestBody: { required: (body.required ?? []).length > 0, content: json(schema(body)) } }),
    responses: { ...Object.fromEntries(responses), default: { $ref: '#/components/responses/Error' } },
  };
}

function parameters(where: 'path' | 'query' | 'header', fields: Fields): readonly object[] {
  return Object.entries(fields).map(([name, shape]) => ({
    name,
    in: where,
    ...(where !== 'query' && { required: true }),
    schema: schema(shape),
  }));
}

function response({ says, type = 'application/json', shape }: AnswerSpec): object {
  if (type === null) return { description: says };
  return { description: says, content: { [type]: { schema: shape ? schema(shape) : defaultSchema(type) } } };
}

function defaultSchema(type: string): object {
  return { type: type === 'application/json' ? 'object' : 'string' };
}

/** The shape as JSON Schema: it is that already, but for what it leaves unsaid. */
function schema(shape: Shape): object {
  if (!('type' in shape)) return shape;
  if (shape.type === 'string') return shape.enum || shape.pattern ? shape : { maxLength: 256, ...shape };
  if (shape.type === 'array') return { ...shape, items: schema(shape.items) };
  if (shape.type === 'integer') return shape;
  return 'properties' in shape
    ? {
        ...shape,
        properties: Object.fromEntries(Object.entries(shape.properties).map(([name, one]) => [name, schema(one)])),
      }
    : { ...shape, additionalProperties: schema(shape.additionalProperties) };
}

function json(of: object): object {
  return { 'application/json': { schema: of } };
}
