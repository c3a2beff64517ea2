import type { Engine } from './engine.ts';
import { bullmq, bullmqAlways } from './engines/bullmq.ts';
import { dbos } from './engines/dbos.ts';
import { durably } from './engines/durably.ts';
import { cloudflareWorkflows, fuselineEdge } from './engines/edge.ts';
import { effect } from './engines/effect.ts';
import { fuseline, fuselineInMemory } from './engines/fuseline.ts';
import { langgraph, langgraphInMemory } from './engines/langgraph.ts';
import { openworkflow } from './engines/openworkflow.ts';
import { tanstack } from './engines/tanstack.ts';

/** Ours first: the others are measured against it. Those that keep nothing on disk come last. */
export const engines: readonly Engine[] = [
  fuseline,
  openworkflow,
  durably,
  dbos,
  bullmqAlways,
  bullmq,
  langgraph,
  fuselineInMemory,
  effect,
  langgraphInMemory,
  tanstack,
];

/** Beside each other in one runtime, and so in a table of their own. */
export const edgeEngines: readonly Engine[] = [fuselineEdge, cloudflareWorkflows];
