import type { Graph, GraphStep, Handler, Need, Road, RunView, StepView } from '../index.ts';

/** One worked case, as a line of a corpus file says it. */
export interface CorpusCase {
  readonly id: string;
  readonly origin: string;
  readonly tags: readonly string[];
  readonly workflow: {
    readonly id: string;
    readonly version: string;
    readonly inputs: Readonly<Record<string, number>>;
    readonly steps: readonly CorpusStep[];
    readonly edges: readonly CorpusEdge[];
    readonly outputs: readonly string[];
  };
  readonly expected: {
    readonly run: 'SUCCEEDED' | 'FAILED';
    readonly steps: Readonly<Record<string, CorpusExpectation>>;
    readonly before?: readonly (readonly [string, string])[];
    readonly afterAny?: readonly { readonly step: string; readonly any_of: readonly string[] }[];
  };
}

export interface CorpusStep {
  readonly id: string;
  readonly inputs: readonly string[];
  readonly deps: readonly {
    readonly param: string;
    readonly from: readonly string[];
    readonly condition: CorpusCondition | null;
  }[];
  readonly retry: { readonly max_attempts: number; readonly wait_s: number } | null;
  readonly script: readonly CorpusAct[];
}

type CorpusCondition = { readonly op: 'const' | 'gt'; readonly value: unknown } | { readonly op: 'truthy' };
type CorpusAct =
  | { readonly raise: string }
  | { readonly return: { readonly const: unknown } | { readonly sum: number } };

export interface CorpusEdge {
  readonly from: string;
  readonly to: string;
  readonly action: string;
  readonly kind: 'dep' | 'link';
}

export interface CorpusExpectation {
  readonly status: StepView['status'];
  readonly reason?: 'condition' | 'not-taken';
  readonly runs: number;
  readonly attempts: number;
  readonly result?: unknown;
  readonly allowed?: readonly unknown[];
}

/** A case as a workflow of ours, and the notes its handlers take while they run. */
export interface CorpusWorkflow {
  readonly graph: Graph;
  readonly handlers: ReadonlyMap<string, Handler>;
  readonly input: Readonly<Record<string, number>>;
  readonly notes: readonly CorpusNote[];
}

export interface CorpusNote {
  readonly step: string;
  readonly what: 'entered' | 'finished';
}

const FIELDS = {
  case: ['id', 'origin', 'tags', 'workflow', 'expected'],
  workflow: ['id', 'version', 'inputs', 'steps', 'edges', 'outputs'],
  step: ['id', 'inputs', 'deps', 'retry', 'script'],
  dep: ['param', 'from', 'condition'],
  edge: ['from', 'to', 'action', 'kind'],
  expected: ['run', 'steps', 'before', 'afterAny'],
  expectation: ['status', 'reason', 'runs', 'attempts', 'result', 'allowed'],
} as const;

/** The cases of a corpus file's text. Throws for a field this runner does not know, so that none is overlooked. */
export function parseCorpus(text: string, file: string): readonly CorpusCase[] {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line, i) => {
      const found = JSON.parse(line) as CorpusCase;
      const at = `${file}:${i + 1}`;
      know(found, 'case', at);
      know(found.workflow, 'workflow', at);
      for (const step of found.workflow.steps) {
        know(step, 'step', at);
        for (const dep of step.deps) know(dep, 'dep', at);
      }
      for (const edge of found.workflow.edges) know(edge, 'edge', at);
      know(found.expected, 'expected', at);
      for (const expectation of Object.values(found.expected.steps)) know(expectation, 'expectation', at);
      return found;
    });
}

/** Throws if there is nothing to run, or if two cases share an id. */
export function checkCorpus(cases: readonly CorpusCase[], where: string): void {
  if (cases.length === 0) throw new Error(`the corpus at ${where} has no cases`);
  const seen = new Set<string>();
  for (const { id } of cases) {
    if (seen.has(id)) throw new Error(`the corpus at ${where} has two cases called ${id}`);
    seen.add(id);
  }
}

/** Reads a case as a graph of ours, by the rules of the corpus' README. */
export function corpusWorkflow({ workflow }: CorpusCase): CorpusWorkflow {
  const notes: CorpusNote[] = [];
  const branches = new Set(workflow.edges.filter(({ action }) => action !== 'default').map(({ from }) => from));
  const on = (from: string, actions: readonly string[]): { readonly on?: readonly Road[] } =>
    branches.has(from) ? { on: actions.map((action) => (action === 'default' ? null : action)) } : {};
  const steps = workflow.steps.map((step): GraphStep => {
    const incoming = workflow.edges.filter(({ to }) => to === step.id);
    const actions = (from: string, kind: CorpusEdge['kind']) =>
      incoming.filter((edge) => edge.from === from && edge.kind === kind).map(({ action }) => action);
    const edge = (from: string) => ({ step: from, ...on(from, actions(from, 'dep')) });
    const needs = step.deps.map(({ param, from, condition }): Need => {
      const when = condition === null ? {} : { when: 'handler' as const };
      return from.length === 1
        ? { param, from: 'step', ...edge(from[0] as string), ...when }
        : { param, from: 'any', of: from.map(edge), ...when };
    });
    const links = [...new Set(incoming.filter(({ kind }) => kind === 'link').map(({ from }) => from))];
    return {
      name: step.id,
      ...(branches.has(step.id) && { kind: 'branch' }),
      needs: [...needs, ...(step.inputs.length > 0 ? [{ param: INPUT, from: 'input' } as const] : [])],
      after: links.map((from) => ({ step: from, ...on(from, actions(from, 'link')) })),
      ...(step.retry && {
        retry: {
          attempts: step.retry.max_attempts,
          backoff: 'constant',
          baseMs: step.retry.wait_s * 1000,
          jitter: 'none',
        } as const,
      }),
    };
  });
  const record = workflow.outputs.map((step) => [step, { from: 'step', step }] as const);
  const handlers = new Map(workflow.steps.map((step) => [step.id, handlerOf(step, notes)] as const));
  return {
    graph: { name: workflow.id, version: workflow.version, steps, output: { record } },
    handlers,
    input: workflow.inputs,
    notes,
  };
}

// Not a legal parameter name of the corpus, so it cannot meet one.
const INPUT = ' input';

function handlerOf(step: CorpusStep, notes: CorpusNote[]): Handler {
  let entered = 0;
  const conditions = new Map(
    step.deps.flatMap(({ param, condition }) => (condition === null ? [] : [[param, predicate(condition)] as const])),
  );
  return {
    conditions,
    async run(needs: Readonly<Record<string, unknown>>) {
      const act = step.script[Math.min(entered++, step.script.length - 1)] as CorpusAct;
      notes.push({ step: step.id, what: 'entered' });
      await null;
      if ('raise' in act) throw new Error(act.raise);
      notes.push({ step: step.id, what: 'finished' });
      if ('const' in act.return) return act.return.const;
      const input = (needs[INPUT] ?? {}) as Readonly<Record<string, unknown>>;
      const values = [...step.deps.map(({ param }) => needs[param]), ...step.inputs.map((name) => input[name])];
      return values.reduce<number>(
        (sum, value) => sum + (Number.isInteger(value) ? (value as number) : 0),
        act.return.sum,
      );
    },
  };
}

function predicate(condition: CorpusCondition): (value: unknown) => boolean {
  switch (condition.op) {
    case 'const':
      return () => Boolean(condition.value);
    case 'truthy':
      return Boolean;
    case 'gt':
      return (value) => typeof value === 'number' && value > (condition.value as number);
  }
}

/** What a run of a case came to. */
export interface CorpusOutcome {
  readonly status: RunView['status'];
  readonly steps: readonly StepView[];
  readonly results: ReadonlyMap<string, unknown>;
  readonly notes: readonly CorpusNote[];
}

/** Every way in which an outcome is not what the case expects; none if it is. */
export function judgeCorpus(
  { expected }: CorpusCase,
  { status, steps, results, notes }: CorpusOutcome,
): readonly string[] {
  const wrong: string[] = [];
  const expect = (what: string, got: unknown, wanted: unknown) => {
    if (!same(got, wanted)) wrong.push(`${what}: got ${JSON.stringify(got)}, expected ${JSON.stringify(wanted)}`);
  };
  expect('run', status, expected.run);
  expect('steps', steps.map(({ name }) => name).sort(), Object.keys(expected.steps).sort());
  for (const step of steps) {
    const wanted = expected.steps[step.name];
    if (!wanted) continue;
    const entered = notes.filter((note) => note.step === step.name && note.what === 'entered').length;
    expect(`${step.name}.status`, step.status, wanted.status);
    if (wanted.reason) expect(`${step.name}.reason`, step.reason, wanted.reason);
    expect(`${step.name}.attempts`, entered, wanted.attempts);
    expect(`${step.name}.runs`, step.attempt > 0 ? 1 : 0, wanted.runs);
    const allowed = wanted.allowed ?? ('result' in wanted ? [wanted.result] : undefined);
    if (wanted.status !== 'SUCCEEDED' || !allowed) continue;
    const got = results.get(step.name) ?? null;
    if (!allowed.some((one) => same(got, one))) expect(`${step.name}.result`, got, allowed);
  }
  const at = (step: string, what: CorpusNote['what']) =>
    notes.findIndex((note) => note.step === step && note.what === what);
  for (const [a, b] of expected.before ?? []) {
    // A source that was skipped finished without a body that could have noted it.
    if (at(b, 'entered') >= 0 && at(a, 'entered') >= 0 && at(a, 'finished') > at(b, 'entered'))
      wrong.push(`${a} had not finished when ${b} started`);
  }
  for (const { step, any_of } of expected.afterAny ?? []) {
    const bodies = any_of.filter((one) => at(one, 'entered') >= 0);
    const before = bodies.some((one) => at(one, 'finished') >= 0 && at(one, 'finished') < at(step, 'entered'));
    if (at(step, 'entered') >= 0 && bodies.length === any_of.length && !before)
      wrong.push(`none of ${any_of.join(', ')} had finished when ${step} started`);
  }
  return wrong;
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function know(value: object, kind: keyof typeof FIELDS, at: string): void {
  const unknown = Object.keys(value).find((field) => !(FIELDS[kind] as readonly string[]).includes(field));
  if (unknown !== undefined)
    throw new Error(`${at}: a ${kind} has the field ${JSON.stringify(unknown)}, which this runner does not know`);
}
