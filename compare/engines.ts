import type { Engine } from './engine.ts';
import { durably } from './engines/durably.ts';
import { fuseline, fuselineInMemory } from './engines/fuseline.ts';
import { openworkflow } from './engines/openworkflow.ts';

export const engines: readonly Engine[] = [fuseline, openworkflow, durably, fuselineInMemory];
