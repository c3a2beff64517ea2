import type { RunStatus } from '../../core/run-state.ts';
import { type Route, readRoute, writeRoute } from './route.ts';

/** Which runs are listed. */
export interface Filter {
  readonly status?: RunStatus;
  readonly workflow?: string;
  /** A part of the id. */
  readonly search?: string;
}

/** What the address holds: what is listed, and what of it is looked at. */
export interface Place extends Route, Filter {
  /** How failed runs are shown: by what they failed of. */
  readonly view?: 'failures';
}

export const STATUSES: readonly RunStatus[] = ['PENDING', 'RUNNING', 'PAUSED', 'SUCCEEDED', 'FAILED', 'CANCELLED'];

export function readPlace(hash: string): Place {
  const terms = new URLSearchParams(hash.replace(/^#/, ''));
  const status = STATUSES.find((one) => one === terms.get('status'));
  const workflow = terms.get('workflow');
  const search = terms.get('search');
  return {
    ...readRoute(hash),
    ...(status && { status }),
    ...(workflow && { workflow }),
    ...(search && { search }),
    ...(terms.get('view') === 'failures' && { view: 'failures' as const }),
  };
}

export function writePlace({ status, workflow, search, view, ...route }: Place): string {
  const terms = new URLSearchParams(writeRoute(route).slice(1));
  for (const [name, value] of Object.entries({ status, workflow, search, view })) if (value) terms.set(name, value);
  const text = terms.toString();
  return text && `#${text}`;
}
