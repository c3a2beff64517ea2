// @vitest-environment node
import { expect, test } from 'vitest';

test('where there is no document the elements can be imported, and touch no global', async () => {
  expect(globalThis).not.toHaveProperty('document');
  const before = Reflect.ownKeys(globalThis);
  const elements = await import('fuseline/elements');
  expect(Reflect.ownKeys(globalThis)).toEqual(before);
  expect(
    await elements.layoutGraph({ nodes: 1, edges: [], size: { width: 10, height: 10 }, direction: 'down' }),
  ).toMatchObject({
    nodes: [{ x: expect.any(Number), y: expect.any(Number) }],
  });
  expect(() => elements.defineElements()).toThrow();
});
