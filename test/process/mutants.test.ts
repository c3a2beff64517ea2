import { expect, test } from 'vitest';
import { sourceOf } from '../mutants/copy.ts';
import { diskFaults } from '../mutants/disk-faults.ts';
import { engineFaults } from '../mutants/engine-faults.ts';
import { withFault } from '../mutants/fault.ts';
import { hunt } from '../mutants/hunt.ts';

const faults = [...engineFaults, ...diskFaults];

test.for(faults)('the fault “$name” still says where it belongs', (fault) => {
  const source = sourceOf(fault);
  expect(withFault(source, fault)).not.toBe(source);
});

test('faults have names of their own', () => {
  expect(new Set(faults.map(({ name }) => name)).size).toBe(faults.length);
});

test.for(['an any-join fires twice', 'enqueue after the commit', 'acknowledge before sync'])(
  'the fault “%s” is noticed within a few worlds',
  async (name) => {
    const fault = faults.find((one) => one.name === name);
    expect(fault && (await hunt(fault, fault.worlds, 20))).toMatchObject({
      status: 'caught',
      invariant: expect.stringMatching(/^(?!a process goes on)/),
    });
  },
);
