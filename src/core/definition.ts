import type { Context } from './context.ts';
import { type CompiledGraph, type CompiledStep, DEFAULT_QUEUE, needsWorker } from './graph.ts';
import type { NewRun } from './storage.ts';

/** A graph and the code of its steps: what an engine executes. */
export interface Definition {
  readonly name: string;
  readonly compiled: CompiledGraph;
  readonly handlers: ReadonlyMap<string, Handler>;
}

export interface Handler {
  readonly run: (needs: never, context: Context) => unknown;
  /** By parameter; the first one that is false skips the step. */
  readonly conditions?: ReadonlyMap<string, (value: never) => unknown>;
  readonly fallback?: (error: Error, context: Context) => unknown;
  /** The workflow that is run on what the handler hands back; without one, that is the result. */
  readonly calls?: () => Callee;
  /** Of a loop: whether what the last round handed back is enough. */
  readonly until?: (state: never) => unknown;
  /** Whether another attempt may help. */
  readonly retryWhen?: (error: unknown) => boolean;
}

/** A workflow that another one has run. */
export interface Callee extends Definition {
  /** Rejects an input that is not valid. */
  prepare(input: unknown): Promise<Pick<NewRun, 'graph' | 'input' | 'labels'>>;
}

/** Definitions, and those they have run: who runs a step works on the run it waits for as well. */
export function withCalled(definitions: readonly Definition[]): readonly Definition[] {
  const all = [...definitions];
  // By its graph: a workflow may be made anew by everybody who calls it.
  const known = new Set(all.map(({ compiled }) => compiled.hash));
  for (const { handlers } of all)
    for (const { calls } of handlers.values()) {
      const callee = calls?.();
      if (!callee || known.has(callee.compiled.hash)) continue;
      known.add(callee.compiled.hash);
      all.push(callee);
    }
  return all;
}

/** Whether a handler brings everything the graph's step asks of it. */
export function canRun(definition: Definition, graph: CompiledGraph, step: number): boolean {
  const spec = graph.steps[step]?.spec;
  if (spec && !needsWorker(spec)) return true;
  const handler = spec && definition.handlers.get(spec.name);
  if (!handler || (spec.fallback && !handler.fallback) || (spec.kind === 'loop' && !handler.until)) return false;
  return (spec.needs ?? []).every(({ param, when }) => !when || handler.conditions?.has(param));
}

/** Rejects with `INVALID_SIGNAL` what every step that waits for the signal would refuse. */
export async function checkSignal({ compiled, handlers }: Definition, name: string, payload: unknown): Promise<void> {
  let refusal: { readonly error: unknown } | undefined;
  for (const step of compiled.waits.get(name) ?? []) {
    const { spec } = compiled.steps[step] as CompiledStep;
    if (!spec.check) return;
    try {
      await handlers.get(spec.name)?.run({ payload } as never, undefined as never);
      return;
    } catch (error) {
      refusal ??= { error };
    }
  }
  if (refusal) throw refusal.error;
}

/** Which of a worker's definitions runs the steps of a run: the one whose graph it has, else of its version, else the first. */
export function definitionFor(
  definitions: readonly Definition[],
  { workflow, version }: { readonly workflow: string; readonly version?: string },
  graph: CompiledGraph,
): Definition | undefined {
  const named = definitions.filter(({ name }) => name === workflow);
  return (
    named.find(({ compiled }) => compiled.hash === graph.hash) ??
    named.find(({ compiled }) => compiled.graph.version === version) ??
    named[0]
  );
}

/** The queues a worker with these definitions serves, unless it is told others. */
export function queuesOf(definitions: readonly Definition[]): readonly string[] {
  return [
    ...new Set([DEFAULT_QUEUE, ...definitions.flatMap(({ compiled }) => compiled.lines.map(({ queue }) => queue))]),
  ];
}

/** The steps of its own graph a definition cannot run. */
export function stepsWithoutHandler(definition: Definition): readonly string[] {
  const { compiled } = definition;
  return compiled.steps.flatMap(({ spec }, step) => (canRun(definition, compiled, step) ? [] : [spec.name]));
}
