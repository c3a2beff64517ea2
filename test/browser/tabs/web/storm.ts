import { type Context, defineGraph } from 'fuseline';
import { type StormSize, stormGraph } from '../../../storm-graph.ts';
import { witnessed } from './flows.ts';

export interface Storm extends StormSize {
  /** How long one takes on average. */
  readonly bodyMs: number;
}

/** Who wrote a result. */
export interface Author {
  readonly who: string;
  readonly attempt: number;
}

/** Every body says when it begins and ends, and is heard. */
export function storm(who: string, size: Storm) {
  const graph = stormGraph(size);
  const body = (i: number) => {
    const ms = size.bodyMs * (0.6 + ((i * 37) % 9) / 10);
    return async (_: unknown, { runId, step, attempt }: Context): Promise<Author> => {
      const about = { who, run: runId, step, attempt };
      await witnessed({ ...about, what: 'begin' });
      await new Promise((resolve) => setTimeout(resolve, ms));
      await witnessed({ ...about, what: 'end' });
      return { who, attempt };
    };
  };
  return defineGraph(graph, Object.fromEntries(graph.steps.map(({ name }, i) => [name, body(i)])));
}
