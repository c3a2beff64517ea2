export const RESULTS_FILE = new URL('results.json', import.meta.url);
export const EDGE_FILE = new URL('edge.json', import.meta.url);

/** What a comparison came to; results.json and edge.json hold it, and the tables are made of nothing else. */
export interface Results {
  readonly measured: string;
  readonly machine: {
    readonly cpu: string;
    readonly cores: number;
    readonly node: string;
    readonly platform: string;
    /** How many processes wanted a core in the minute before. */
    readonly load?: number;
  };
  readonly engines: readonly EngineResult[];
}

export interface EngineResult {
  readonly name: string;
  readonly version: string;
  readonly storage: string;
  readonly keeps: 'on disk' | 'in memory';
  readonly takeover: string;
  readonly note?: string;
  readonly figures: readonly Figure[];
  readonly killed?: Killed;
  /** Why there are no figures. */
  readonly absent?: string;
}

export interface Figure {
  readonly workload: string;
  /** All steps of the workload. */
  readonly steps: number;
  /** The median of the rounds. */
  readonly stepsPerSecond: number;
  readonly rounds: number;
  /** Syncs of all of the engine's processes; absent where nothing could count them. */
  readonly syncsPerStep?: number;
  /** Stopped before its end: the speed is that of the steps that began until then. */
  readonly stoppedAfterMs?: number;
  /** The engine gave up. */
  readonly failed?: string;
}

export interface Killed {
  /** From the kill until the step begins again: the median. */
  readonly ms?: number;
  readonly rounds: number;
  /** Nobody went on for this long. */
  readonly waitedMs?: number;
}

export interface Goal {
  readonly workload: string;
  readonly times: number;
}

export const GOALS: readonly Goal[] = [
  { workload: 'chain 1,000', times: 3 },
  { workload: 'fan 1,000', times: 30 },
];

export const EDGE_GOALS: readonly Goal[] = [
  { workload: 'chain 200', times: 8 },
  { workload: 'chain 1,000', times: 8 },
];

/** A chain cannot hand on a result that is on disk without a sync for each step. */
export function syncs({ figures, keeps }: EngineResult): boolean | undefined {
  if (keeps === 'in memory') return false;
  const counted = figures
    .filter(({ workload }) => workload.startsWith('chain'))
    .flatMap(({ syncsPerStep }) => syncsPerStep ?? []);
  return counted.length === 0 ? undefined : counted.every((perStep) => perStep >= 0.99);
}

export function figureOf({ figures }: EngineResult, workload: string): Figure | undefined {
  return figures.find((figure) => figure.workload === workload && figure.failed === undefined);
}

export interface Ratio extends Goal {
  readonly peer: string;
  readonly ratio: number;
  readonly met: boolean;
}

/** Ours against the fastest peer that has every step on disk. */
export function ratios({ engines: [ours, ...peers] }: Results): readonly Ratio[] {
  return ratiosTo(
    GOALS,
    ours,
    peers.filter((peer) => syncs(peer)),
  );
}

/** Whoever is at the edge has its runtime see to what is on disk. */
export function edgeRatios({ engines: [ours, ...peers] }: Results): readonly Ratio[] {
  return ratiosTo(EDGE_GOALS, ours, peers);
}

function ratiosTo(
  goals: readonly Goal[],
  ours: EngineResult | undefined,
  peers: readonly EngineResult[],
): readonly Ratio[] {
  return goals.flatMap((goal) => {
    const own = ours && figureOf(ours, goal.workload);
    const fastest = peers
      .flatMap((peer) => {
        const figure = figureOf(peer, goal.workload);
        return figure ? [{ peer: peer.name, speed: figure.stepsPerSecond }] : [];
      })
      .toSorted((a, b) => b.speed - a.speed)[0];
    if (!own || !fastest) return [];
    const ratio = own.stepsPerSecond / fastest.speed;
    return [{ ...goal, peer: fastest.peer, ratio, met: ratio >= goal.times }];
  });
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length / 2;
  return ((sorted[Math.ceil(half) - 1] as number) + (sorted[Math.floor(half)] as number)) / 2;
}
