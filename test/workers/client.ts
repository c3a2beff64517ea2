import { exports } from 'cloudflare:workers';
import { expect } from 'vitest';

/** What the Worker answers as JSON. */
export async function get<T = unknown>(path: string): Promise<T> {
  const response = await exports.default.fetch(`http://localhost${path}`);
  return (await response.json()) as T;
}

export function post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  return exports.default.fetch(`http://localhost${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
}

/** Dispatches a run and answers its whole id. */
export async function dispatch(workflow: string, order: object): Promise<string> {
  const response = await post(`/workflows/${workflow}/runs`, order);
  const answer = (await response.json()) as { readonly id: string };
  expect(response.status, JSON.stringify(answer)).toBe(202);
  return answer.id;
}
