import type { CompiledGraph, Road } from '../core/graph.ts';
import type { StepView } from '../core/views.ts';

/** What a step waits for, as an arrow: positions in the graph, and what to write beside it. */
export interface Arrow {
  readonly from: number;
  readonly to: number;
  /** `value`: handed over. `order`: only waited for. `any`: one of several. `settled`: whatever way it ends. */
  readonly kind: 'value' | 'order' | 'any' | 'settled';
  readonly label: string;
  readonly on: readonly Road[] | undefined;
}

/** One arrow for every two steps of which one waits for the other. */
export function arrowsOf({ steps, index }: CompiledGraph): readonly Arrow[] {
  return steps.flatMap(({ spec, required, groups, settled }, to) => {
    const values = new Set(
      (spec.needs ?? []).flatMap((need) => (need.from === 'step' ? (index.get(need.step) ?? []) : [])),
    );
    const all = [
      ...required.map(({ from, on }) => arrow(from, to, values.has(from) ? 'value' : 'order', roads(on), on)),
      ...groups.flatMap(({ members }) =>
        members.map(({ from, on }) =>
          arrow(from, to, 'any', ['any', roads(on)].filter((word) => word !== '').join(', '), on),
        ),
      ),
      ...settled.map((from) => arrow(from, to, 'settled', 'settled', undefined)),
    ];
    return [...new Map(all.reverse().map((one) => [one.from, one])).values()].reverse();
  });
}

function arrow(from: number, to: number, kind: Arrow['kind'], label: string, on: Arrow['on']): Arrow {
  return { from, to, kind, label, on };
}

function roads(on: readonly Road[] | undefined): string {
  return on?.map((road) => road ?? 'otherwise').join(' or ') ?? '';
}

/** `open`: its source has not ended. `live`: it let the other step go on. `dead`: it does not. */
export function stateOf({ kind, on }: Arrow, { status, reason, road }: StepView): 'open' | 'live' | 'dead' {
  if (status === 'PENDING' || status === 'RUNNING') return 'open';
  if (kind === 'settled') return 'live';
  if (status === 'SKIPPED') return reason === 'condition' ? 'live' : 'dead';
  if (status !== 'SUCCEEDED') return 'dead';
  return on === undefined || on.includes(road ?? null) ? 'live' : 'dead';
}
