import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Engine } from './engine.ts';
import { edgeEngines, engines } from './engines.ts';
import { killOnce, WAIT_MS } from './kill.ts';
import { measure, WORKLOADS } from './measure.ts';
import { has } from './processes.ts';
import {
  EDGE_FILE,
  type EngineResult,
  type Figure,
  type Killed,
  median,
  RESULTS_FILE,
  type Results,
} from './results.ts';
import { openServices, type Services } from './services.ts';
import { edgeSummary, figureLine, killedLine, summary } from './table.ts';

const here = new URL('./', import.meta.url);
const KILLS = 3;
let kill = 0;
/** A takeover that takes longer is measured once, beside those of the others. */
const SOON_MS = 3_000;

/** Engines that belong here and could not be had. */
const ABSENT: readonly EngineResult[] = [
  {
    name: 'absurd',
    version: '0.5.0',
    storage: 'PostgreSQL',
    keeps: 'on disk',
    takeover: 'another worker',
    figures: [],
    absent: 'its npm package brings no database schema, and the tool that installs one is not on npm',
  },
];

export interface CompareOptions {
  /** Names of engines; all unless told. */
  readonly only?: readonly string[];
  readonly kills: 'measured' | 'left out';
  /** Only those in the runtime of Workers, or the others too. */
  readonly where: 'the edge' | 'everywhere';
}

/** Measures, prints, and writes down what a whole comparison came to. */
export async function compare(options: CompareOptions): Promise<void> {
  // Beside the sources, because directories for temporary files are often no disk.
  mkdirSync('.tsbuild', { recursive: true });
  const directory = mkdtempSync(join(process.cwd(), '.tsbuild', 'compare-'));
  const services = openServices(directory);
  const isChosen = ({ name }: Engine): boolean => options.only?.includes(name) ?? true;
  const chosen = options.where === 'the edge' ? [] : engines.filter(isChosen);
  const chosenEdge = edgeEngines.filter(isChosen);
  const about = { measured: new Date().toISOString().slice(0, 10), machine: machine() };
  let results: EngineResult[] = [];
  let edge: EngineResult[] = [];
  try {
    if (!services.canTrace) console.log('strace was not found: syncs are not counted');
    results = await measureAll(chosen, directory, services);
    edge = await measureAll(chosenEdge, directory, services);
    if (options.kills === 'measured' && chosen.length > 0) {
      console.log('\nkill -9 in the middle of a step, until it begins again');
      await measureKills(chosen, results, directory, services);
    }
  } finally {
    await services.stop();
    rmSync(directory, { recursive: true, force: true });
  }
  const atEdge: Results = { ...about, engines: edge };
  const measured: Results = { ...about, engines: [...results, ...ABSENT] };
  console.log(`\n${[edgeSummary(atEdge), summary(measured)].filter((text) => text !== '').join('\n')}`);
  if (options.only) return;
  write(EDGE_FILE, atEdge);
  if (options.kills === 'measured' && options.where === 'everywhere') write(RESULTS_FILE, measured);
}

function write(file: URL, results: Results): void {
  writeFileSync(file, `${JSON.stringify(results, undefined, 2)}\n`);
}

async function measureAll(chosen: readonly Engine[], directory: string, services: Services): Promise<EngineResult[]> {
  const results: EngineResult[] = [];
  for (const engine of chosen) {
    const about = describe(engine);
    const absent = missing(engine) ?? (await engine.unfit?.());
    console.log(`\n${about.name} ${about.version} · ${about.storage}${absent ? `: absent, ${absent}` : ''}`);
    if (absent) {
      results.push({ ...about, figures: [], absent });
      continue;
    }
    const figures: Figure[] = [];
    for (const workload of WORKLOADS) {
      const figure = await measure(engine, workload, directory, services);
      figures.push(figure);
      console.log(figureLine(figure));
    }
    results.push({ ...about, figures });
  }
  return results;
}

/** After all else, because leases are waited for side by side. */
async function measureKills(
  chosen: readonly Engine[],
  results: EngineResult[],
  directory: string,
  services: Services,
): Promise<void> {
  const waiting: Promise<void>[] = [];
  for (const [i, engine] of chosen.entries()) {
    const result = results[i];
    if (!result || result.absent !== undefined || engine.takeover === 'nobody') continue;
    try {
      const url = await services.url(engine.service, 'plain');
      const { waiting: later } = await kills(engine, directory, url, (killed) => {
        results[i] = { ...result, killed };
      });
      waiting.push(later);
    } catch (error) {
      console.log(`  ${engine.name}: it could not be measured: ${error instanceof Error ? error.message : error}`);
    }
  }
  await Promise.all(waiting);
}

/** Resolves as soon as there is nothing left to do but to wait. */
async function kills(
  engine: Engine,
  parent: string,
  url: string,
  tell: (killed: Killed) => void,
): Promise<{ readonly waiting: Promise<void> }> {
  const taken: number[] = [];
  for (let round = 0; round < KILLS; round++) {
    const { again } = await killOnce(engine, join(parent, `kill-${kill++}`), url);
    const soon = await Promise.race([again, sleep(SOON_MS, 'later' as const)]);
    if (soon === 'later') return { waiting: again.then((ms) => tellOf(ms === undefined ? taken : [...taken, ms])) };
    if (soon !== undefined) taken.push(soon);
  }
  tellOf(taken);
  return { waiting: Promise.resolve() };

  function tellOf(all: readonly number[]): void {
    const killed = all.length === 0 ? { rounds: 0, waitedMs: WAIT_MS } : { ms: median(all), rounds: all.length };
    console.log(killedLine(engine.name, killed));
    tell(killed);
  }
}

function describe(engine: Engine): Omit<EngineResult, 'figures'> {
  const { name, package: pkg, brought, storage, keeps, takeover, note } = engine;
  const place = pkg === undefined ? '..' : `${brought ? '../' : ''}node_modules/${pkg}`;
  const manifest = JSON.parse(readFileSync(new URL(`${place}/package.json`, here), 'utf8'));
  const version: string = brought ? `of ${pkg} ${manifest.version}` : manifest.version;
  return { name, version, storage, keeps, takeover, ...(note !== undefined && { note }) };
}

function missing({ needs = [] }: Engine): string | undefined {
  const absent = needs.filter((command) => !has(command));
  return absent.length === 0 ? undefined : `${absent.join(' and ')} not found on this machine`;
}

function machine(): Results['machine'] {
  const [cpu] = cpus();
  return {
    cpu: cpu?.model ?? 'unknown',
    cores: cpus().length,
    node: process.version,
    platform: process.platform,
    load: loadavg()[0] ?? 0,
  };
}
