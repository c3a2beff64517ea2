import {
  type EngineResult,
  edgeRatios,
  type Figure,
  figureOf,
  type Killed,
  type Ratio,
  type Results,
  ratios,
  syncs,
} from './results.ts';

const COLUMNS = ['chain 200', 'chain 1,000', 'fan 200', 'fan 1,000', '500 short runs'] as const;

export function figureLine({ workload, stepsPerSecond, rounds, syncsPerStep, stoppedAfterMs, failed }: Figure): string {
  if (failed !== undefined) return `  ${workload.padEnd(15)} gave up: ${failed}`;
  const speed = `${number(stepsPerSecond)} steps/s`.padEnd(18);
  const counted = syncsPerStep === undefined ? 'syncs not counted' : `${syncsPerStep.toFixed(3)} syncs/step`;
  const how = stoppedAfterMs === undefined ? `n = ${rounds}` : `stopped after ${number(stoppedAfterMs / 1000)} s`;
  return `  ${workload.padEnd(15)} ${speed} ${counted.padEnd(20)} ${how}`;
}

export function killedLine(name: string, killed: Killed): string {
  return `  ${name}: kill -9 in the middle of a step → ${killedCell(killed)}`;
}

/** What the goals came to. */
export function summary(results: Results): string {
  return ratios(results).map(verdict).join('\n');
}

export function edgeSummary(results: Results): string {
  return edgeRatios(results).map(edgeVerdict).join('\n');
}

function verdict(ratio: Ratio): string {
  return verdictOn(ratio, `the fastest durable peer that syncs (${ratio.peer})`);
}

function edgeVerdict(ratio: Ratio): string {
  return verdictOn(ratio, ratio.peer);
}

function verdictOn({ workload, times, ratio, met }: Ratio, peer: string): string {
  return `${workload}: ${number(ratio)} × ${peer}; goal ≥ ${times} ×: ${met ? 'met' : 'MISSED'}`;
}

/** The whole comparison, as README.md has it. */
export function markdown(results: Results): string {
  const { machine, measured, engines } = results;
  const present = engines.filter(({ absent }) => absent === undefined);
  const lines = linesOf(
    ['engine, storage', ...COLUMNS, 'after `kill -9`'],
    present.map((engine) => [...row(engine), killedColumn(engine)]),
  );
  const absent = engines.flatMap(({ name, absent }) => (absent === undefined ? [] : `- ${name} is absent: ${absent}.`));
  return [
    `Steps per second, and in parentheses syncs to disk per step. ${measured}, ${machine.cpu}, ${machine.cores} cores, ${machine.platform}, Node ${machine.node}; \`npm run compare\` repeats it.`,
    '',
    ...lines,
    '',
    ...ratios(results).map((ratio) => `- ${verdict(ratio)}`),
    ...notesOf(engines),
    ...absent,
  ].join('\n');
}

/** What is measured in the runtime of Workers. */
export function edgeMarkdown(results: Results): string {
  const { machine, measured, engines } = results;
  const load = machine.load === undefined ? '' : `, load ${number(machine.load)} when it began`;
  return [
    `Steps per second, and in parentheses syncs to disk per step. ${measured}, ${machine.cpu}, ${machine.cores} cores, ${machine.platform}${load}; \`npm run compare -- --edge\` repeats it.`,
    '',
    ...linesOf(['engine, storage', ...COLUMNS], engines.map(row)),
    '',
    ...edgeRatios(results).map((ratio) => `- ${edgeVerdict(ratio)}`),
    ...notesOf(engines),
  ].join('\n');
}

function linesOf(head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  return [head, ['---', ...head.slice(1).map(() => '---:')], ...rows].map((cells) => `| ${cells.join(' | ')} |`);
}

function notesOf(engines: readonly EngineResult[]): readonly string[] {
  return engines.flatMap(({ name, note }) => (note === undefined ? [] : `- ${name}: ${note}`));
}

function row(engine: EngineResult): readonly string[] {
  const { name, version, storage } = engine;
  // What comes behind the comma tells rows of one product apart; here its storage does.
  const [product] = name.split(', ');
  const durable = engine.keeps === 'in memory' ? '' : syncs(engine) === false ? ', does not sync each step' : '';
  return [`${product} ${version}, ${storage}${durable}`, ...COLUMNS.map((column) => cell(figureOf(engine, column)))];
}

function killedColumn({ killed, takeover }: EngineResult): string {
  if (!killed) return takeover === 'nobody' ? '–' : 'not measured';
  return `${killedCell(killed)}${takeover === 'a restart' && killed.ms !== undefined ? ', by a restart' : ''}`;
}

function cell(figure: Figure | undefined): string {
  if (!figure) return 'failed';
  const { stepsPerSecond, syncsPerStep, stoppedAfterMs } = figure;
  const stopped = stoppedAfterMs === undefined ? '' : ', stopped';
  return `${number(stepsPerSecond)} (${syncsPerStep === undefined ? '?' : number(syncsPerStep)}${stopped})`;
}

function killedCell({ ms, waitedMs }: Killed): string {
  if (ms === undefined) return `nobody within ${number((waitedMs ?? 0) / 1000)} s`;
  return ms < 1000 ? `${number(ms)} ms` : `${number(ms / 1000)} s`;
}

/** Three digits that mean something, or all of a whole part that has more. */
function number(value: number): string {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toLocaleString('en', { maximumFractionDigits: digits });
}
