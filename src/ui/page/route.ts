/** What the address holds: which run, which step, and which moment of its journal. */
export interface Route {
  readonly run?: string;
  readonly step?: string;
  /** A position in the journal; live without one. */
  readonly moment?: number;
}

export function readRoute(hash: string): Route {
  const terms = new URLSearchParams(hash.replace(/^#/, ''));
  const run = terms.get('run');
  const step = terms.get('step');
  const moment = Number(terms.get('moment') ?? Number.NaN);
  if (!run) return {};
  return { run, ...(step && { step }), ...(Number.isInteger(moment) && moment >= 0 && { moment }) };
}

export function writeRoute({ run, step, moment }: Route): string {
  const terms = new URLSearchParams();
  if (run !== undefined) terms.set('run', run);
  if (step !== undefined) terms.set('step', step);
  if (moment !== undefined) terms.set('moment', String(moment));
  const text = terms.toString();
  return text && `#${text}`;
}
