import {
  type EngineResult,
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

function verdict({ workload, times, peer, ratio, met }: Ratio): string {
  return `${workload}: ${number(ratio)} × the fastest durable peer that syncs (${peer}); goal ≥ ${times} ×: ${met ? 'met' : 'MISSED'}`;
}

/** The whole comparison, as README.md has it. */
export function markdown(results: Results): string {
  const { machine, measured, engines } = results;
  const head = ['engine, storage', ...COLUMNS, 'after `kill -9`'];
  const rows = engines.filter(({ absent }) => absent === undefined).map(row);
  const lines = [head, ['---', ...head.slice(1).map(() => '---:')], ...rows].map((cells) => `| ${cells.join(' | ')} |`);
  const notes = engines.flatMap(({ name, note }) => (note === undefined ? [] : `- ${name}: ${note}`));
  const absent = engines.flatMap(({ name, absent }) => (absent === undefined ? [] : `- ${name} is absent: ${absent}.`));
  return [
    `Steps per second, and in parentheses syncs to disk per step. ${measured}, ${machine.cpu}, ${machine.cores} cores, ${machine.platform}, Node ${machine.node}; \`npm run compare\` repeats it.`,
    '',
    ...lines,
    '',
    ...ratios(results).map((ratio) => `- ${verdict(ratio)}`),
    ...notes,
    ...absent,
  ].join('\n');
}

function row(engine: EngineResult): readonly string[] {
  const { name, version, storage, killed, takeover } = engine;
  // What comes behind the comma tells rows of one product apart; here its storage does.
  const [product] = name.split(', ');
  const durable = engine.keeps === 'in memory' ? '' : syncs(engine) === false ? ', does not sync each step' : '';
  const lost = takeover === 'nobody' ? '–' : 'not measured';
  return [
    `${product} ${version}, ${storage}${durable}`,
    ...COLUMNS.map((column) => cell(figureOf(engine, column))),
    killed
      ? `${killedCell(killed)}${takeover === 'a restart' && killed.ms !== undefined ? ', by a restart' : ''}`
      : lost,
  ];
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
