import type { Graph, GraphStep } from 'fuseline';

const SPOKES = 8;

/** Lanes side by side, each a chain of fan-outs that join again; a worker that is stopped holds up few of them. */
export interface StormSize {
  readonly lanes: number;
  readonly rounds: number;
}

export function stepsOf({ lanes, rounds }: StormSize): number {
  return lanes * rounds * (SPOKES + 2);
}

export function stormGraph({ lanes, rounds }: StormSize): Graph {
  const steps: GraphStep[] = [];
  // However often the killer meets the same one: it is not the step's fault.
  const add = (name: string, after: readonly string[]) =>
    void steps.push({ name, after: after.map((step) => ({ step })), retry: { attempts: 1, losses: 1000 } });
  for (let round = 0; round < rounds; round++)
    for (let lane = 0; lane < lanes; lane++) {
      const at = `${lane}.${round}`;
      add(`fan ${at}`, round === 0 ? [] : [`join ${lane}.${round - 1}`]);
      const spokes = Array.from({ length: SPOKES }, (_, i) => `spoke ${at}.${i}`);
      for (const spoke of spokes) add(spoke, [`fan ${at}`]);
      add(`join ${at}`, spokes);
    }
  return { name: 'storm', steps };
}
