import { type Edge, type Graph, type GraphStep, type Source, signalOf } from '../core/graph.ts';
import { durationText } from '../core/words.ts';
import { oneLine } from './text.ts';

/**
 * A Mermaid flowchart of workflows, each a subgraph where there are several. Steps are boxes, branch steps rhombs,
 * steps that sleep hexagons, those that wait for a signal flags, loops boxes with double sides, those
 * that run for each item of a list leaning boxes, those that have a workflow run boxes with round ends, any-groups
 * circles. A solid arrow hands a value over, a dotted one is order only; a circle at its end says that the
 * source only has to be settled. Labels are the roads an edge is taken on.
 */
export function mermaidOf(graphs: readonly Graph[]): string {
  const lines = ['flowchart TD'];
  graphs.forEach((graph, i) => {
    const drawn = draw(graph, graphs.length === 1 ? '' : `w${i}`);
    if (graphs.length === 1) lines.push(...drawn.map((line) => `  ${line}`));
    else lines.push(`  subgraph w${i}[${label(graph.name)}]`, ...drawn.map((line) => `    ${line}`), '  end');
  });
  return lines.join('\n');
}

const SHAPES: Readonly<Record<NonNullable<GraphStep['kind']> | 'step', readonly [open: string, close: string]>> = {
  step: ['[', ']'],
  branch: ['{', '}'],
  sleep: ['{{', '}}'],
  wait: ['>', ']'],
  loop: ['[[', ']]'],
  each: ['[/', '/]'],
  run: ['([', '])'],
};

/** Its name, and what it waits for where the name does not say it. */
function wordsOf(step: GraphStep): string {
  const { name, kind, forMs } = step;
  const known = [
    ...(step.workflow !== undefined ? [`workflow ${step.workflow}`] : []),
    ...(kind === 'wait' && signalOf(step) !== name ? [`signal ${signalOf(step)}`] : []),
    ...(forMs === undefined ? [] : [`${kind === 'wait' || kind === 'run' ? 'at most ' : ''}${durationText(forMs)}`]),
  ];
  return known.length === 0 ? name : `${name} (${known.join(', ')})`;
}

type Arrow = '-->' | '-.->';

function draw({ steps, output }: Graph, prefix: string): readonly string[] {
  // Nobody's name is an id: names may be anything, ids are what the grammar allows.
  const ids = new Map(steps.map(({ name }, i) => [name, `${prefix}s${i}`]));
  const idOf = (step: string): string => ids.get(step) as string;
  const nodes = steps.map((step) => {
    const [open, close] = SHAPES[step.kind ?? 'step'];
    return `${idOf(step.name)}${open}${label(wordsOf(step))}${close}`;
  });
  const edges: string[] = [];
  let groups = 0;

  const edge = ({ step, on }: Edge, to: string, arrow: Arrow, extra: readonly string[] = []): void => {
    const words = [...(on ? [on.map((road) => road ?? '(otherwise)').join(' or ')] : []), ...extra];
    edges.push(`${idOf(step)} ${arrow}${words.length === 0 ? '' : `|${label(words.join(', '))}|`} ${to}`);
  };
  const any = (of: readonly Edge[], to: string, arrow: Arrow, extra: readonly string[] = []): void => {
    const id = `${prefix}any${groups++}`;
    nodes.push(`${id}(("any"))`);
    for (const member of of) edge(member, id, arrow);
    edges.push(`${id} ${arrow}${extra.length === 0 ? '' : `|${label(extra.join(', '))}|`} ${to}`);
  };
  const source = (from: Source, to: string, extra: readonly string[] = []): void => {
    if (from.from === 'step') edge(from, to, '-->', extra);
    if (from.from === 'any') any(from.of, to, '-->', extra);
    if (from.from === 'settled') edges.push(`${idOf(from.step)} --o|${label(['settled', ...extra].join(', '))}| ${to}`);
  };

  for (const { name, needs = [], after = [] } of steps) {
    for (const need of needs) source(need, idOf(name), need.when ? ['on a condition'] : []);
    for (const one of after) {
      if ('any' in one) any(one.any, idOf(name), '-.->');
      else edge(one, idOf(name), '-.->');
    }
  }
  if (output !== undefined) {
    const id = `${prefix}result`;
    nodes.push(`${id}(["result"])`);
    const sources = 'record' in output ? output.record : ([[undefined, output]] as const);
    for (const [key, from] of sources) source(from, id, key === undefined ? [] : [key]);
  }
  return [...nodes, ...edges];
}

/**
 * A text in quotes that is nothing but text to Mermaid. It looks for directives, comments, styles and entities before it
 * parses, and for Markdown after, so every sign that might be one is an entity.
 */
function label(text: string): string {
  const shown = oneLine(text);
  const marker = (/^\s*\d*[.-]/.exec(shown)?.[0].length ?? 0) - 1;
  return `"${[...shown].map((sign, i) => (PLAIN.test(sign) && i !== marker ? sign : entity(sign))).join('')}"`;
}

const PLAIN = /[\p{L}\p{M}\p{N} .,()-]/u;

function entity(sign: string): string {
  return `#${sign.codePointAt(0)};`;
}
