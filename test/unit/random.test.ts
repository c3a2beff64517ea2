import { seeded } from 'fuseline/testing';
import { expect, test } from 'vitest';

test('a seed gives the same numbers everywhere', () => {
  const random = seeded(1);
  // Of the original, https://gist.github.com/tommyettinger/46a874533244883189143505d203312c
  expect([random.next(), random.next(), random.next()]).toEqual([
    0.6270739405881613, 0.002735721180215478, 0.5274470399599522,
  ]);
});

test('numbers spread evenly, and so do picks', () => {
  const random = seeded(2);
  const counts = new Map<string, number>();
  for (let i = 0; i < 9000; i++) {
    const pick = random.pick(['a', 'b', 'c']);
    counts.set(pick, (counts.get(pick) ?? 0) + 1);
  }
  expect([...counts.keys()].sort()).toEqual(['a', 'b', 'c']);
  for (const count of counts.values()) expect(Math.abs(count - 3000)).toBeLessThan(200);
  const lucky = Array.from({ length: 1000 }, () => random.chance(0.25)).filter(Boolean).length;
  expect(Math.abs(lucky - 250)).toBeLessThan(75);
});
