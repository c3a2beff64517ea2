import { expect, test } from 'vitest';
import { fleet, historyOf } from './fleet.ts';
import { PARTS, type Part, ROUNDS } from './flows.ts';

test('a run goes on where it was, although its worker is killed while it sleeps, and the next one while it loops and talks', async () => {
  const { flows, open, start, notes } = fleet();
  const storage = open();
  const run = await flows.talks.dispatch(undefined, { storage });
  const first = start({ what: 'start', workflows: ['talks'] });
  for await (const { type } of run.events()) if (type === 'waiting') break;
  first.signal('SIGKILL');
  await first.ended;

  const second = start({ what: 'start', workflows: ['talks'] });
  const said: (Part & { readonly position: number; readonly attempt: number })[] = [];
  let third: ReturnType<typeof start> | undefined;
  for await (const { position, attempt, value } of run.stream('talk')) {
    said.push({ position, attempt, ...(value as Part) });
    if (third || said.at(-1)?.round !== 1 || said.at(-1)?.part !== PARTS) continue;
    second.signal('SIGKILL');
    third = start({ what: 'start', workflows: ['talks'] });
  }

  expect(await run.result()).toBe(ROUNDS);
  const history = await historyOf(storage, run.id);
  const [waiting, ...others] = history.filter(({ type }) => type === 'waiting');
  const [slept, ...more] = history.filter((event) => event.type === 'succeeded' && event.step === 'sleep');
  expect([others, more]).toEqual([[], []]);
  expect((slept?.at ?? 0) - (waiting?.at ?? 0)).toBeGreaterThanOrEqual(4000);
  // Each round is recorded once, by the only attempt at it that came to its end.
  expect(history.filter(({ type }) => type === 'looped')).toHaveLength(ROUNDS - 1);
  const ended = notes().filter(({ what }) => what === 'end');
  expect(ended.map(({ pid, attempt }) => [pid, attempt])).toEqual([
    [second.pid, 1],
    [third?.pid, 2],
    [third?.pid, 1],
  ]);
  // What was said is there in its order, of the attempt that was killed as much as was recorded.
  const cut = said.filter(({ round, attempt }) => round === 1 && attempt === 1).length;
  expect(cut).toBeGreaterThan(PARTS);
  expect(said).toEqual(
    [...parts(0, 1, PARTS), ...parts(1, 1, cut), ...parts(1, 2, PARTS), ...parts(2, 1, PARTS)].map(
      (part, position) => ({ position, ...part }),
    ),
  );
});

function parts(round: number, attempt: number, length: number): readonly (Part & { readonly attempt: number })[] {
  return Array.from({ length }, (_, part) => ({ round, part, attempt }));
}
