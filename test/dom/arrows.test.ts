import { type StepView, workflow } from 'fuseline';
import { expect, test } from 'vitest';
import { arrowsOf, stateOf } from '../../src/elements/arrows.ts';
import { all, finished, put, see } from './page.ts';

const order = workflow('order', ($) => {
  const stock = $.step('stock', {}, () => 3);
  const size = $.branch('size', { stock }, () => 'large' as 'large' | 'small');
  const truck = $.step('truck', { stock }, () => 'truck', { after: [size.on('large')] });
  const bike = $.step('bike', { stock }, () => 'bike', { after: [size.on('small')] });
  const way = $.step('way', { by: $.any(truck, bike) }, ({ by }) => by);
  const fails = $.step('fails', {}, () => {
    throw new Error('no');
  });
  $.step('clean', { fails: $.settled(fails) }, () => 1);
  $.step('never', { fails }, () => 1);
  return way;
});

test('an arrow for every two steps of which one waits for the other: what for, on which road', () => {
  const { graph, steps } = order.compiled;
  const arrows = arrowsOf(order.compiled).map(({ from, to, kind, label }) =>
    [steps[from]?.spec.name, kind, steps[to]?.spec.name, label].join(' ').trim(),
  );
  expect(graph.steps.length).toBe(8);
  expect(arrows.sort()).toEqual([
    'bike any way any',
    'fails settled clean settled',
    'fails value never',
    'size order bike small',
    'size order truck large',
    'stock value bike',
    'stock value size',
    'stock value truck',
    'truck any way any',
  ]);
});

test('once its source has ended, an arrow is live or dead', async () => {
  const graph = put('fuseline-graph', { storage: await finished(order), run: 'run' });
  const { steps } = order.compiled;
  const states = () =>
    all(graph, '.edges path').map((path, i) => {
      const arrow = arrowsOf(order.compiled)[i];
      return `${steps[arrow?.from ?? -1]?.spec.name} ${steps[arrow?.to ?? -1]?.spec.name} ${path.getAttribute('data-state')}`;
    });
  await see(() =>
    expect(states().sort()).toEqual([
      'bike way dead',
      'fails clean live',
      'fails never dead',
      'size bike dead',
      'size truck live',
      'stock bike live',
      'stock size live',
      'stock truck live',
      'truck way live',
    ]),
  );
});

test('a step that was skipped by its own condition lets others go on, one on a road not taken does not', () => {
  const arrow = { from: 0, to: 1, kind: 'value', label: '', on: undefined } as const;
  const step = { name: 'a', attempt: 0, generation: 0 } as const;
  const views: readonly (readonly [StepView, 'open' | 'live' | 'dead'])[] = [
    [{ ...step, status: 'SKIPPED', reason: 'condition' }, 'live'],
    [{ ...step, status: 'SKIPPED', reason: 'not-taken' }, 'dead'],
    [{ ...step, status: 'CANCELLED' }, 'dead'],
    [{ ...step, status: 'RUNNING' }, 'open'],
  ];
  for (const [view, state] of views) expect(stateOf(arrow, view), view.reason ?? view.status).toBe(state);
});
