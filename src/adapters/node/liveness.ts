import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import type { Liveness } from '../../core/host.ts';

export interface ProcessLivenessOptions {
  /** How often the watched processes are looked at. */
  readonly intervalMs?: number;
  /** How long a process must have been seen stopped, without a break, before it counts as gone. */
  readonly stoppedMs?: number;
}

export const LIVENESS_INTERVAL_MS = 200;
export const LIVENESS_STOPPED_MS = 10_000;

/** A look that comes so much later than it should says that this process slept, not that the other one did. */
const LATE_LOOKS = 5;

/** What tells one process from all others. A process id alone is used again sooner or later. */
interface Evidence {
  readonly pid: number;
  /** Clock ticks from boot to the start of the process; absent where the system does not tell. */
  readonly started?: string;
  readonly boot?: string;
  readonly pidNamespace?: string;
  readonly host: string;
}

interface Watched {
  readonly evidence: Evidence;
  readonly gone: () => void;
  /** Since when it has been seen stopped at every look. */
  stoppedSince: number | undefined;
}

/**
 * Judges other processes of this machine by what the kernel says of them. A killed one is noticed at the next look, and
 * so is one whose process id is in use again. A stopped one (SIGSTOP, not a debugger) counts as gone after a while; if
 * it goes on after all, the fences of its claims keep it from recording anything.
 *
 * Without /proc (macOS, Windows) only the absence of the process id tells.
 */
export function processLiveness({
  intervalMs = LIVENESS_INTERVAL_MS,
  stoppedMs = LIVENESS_STOPPED_MS,
}: ProcessLivenessOptions = {}): Liveness {
  const here = ownEvidence();
  const watched = new Set<Watched>();
  let timer: NodeJS.Timeout | undefined;
  let lookedAt = 0;

  const look = (): void => {
    const now = performance.now();
    const slept = now - lookedAt > LATE_LOOKS * intervalMs;
    lookedAt = now;
    for (const one of watched) {
      const state = stateOf(one.evidence, here);
      if (state !== 'stopped') one.stoppedSince = undefined;
      else if (one.stoppedSince === undefined || slept) one.stoppedSince = now;
      const stopped = one.stoppedSince !== undefined && now - one.stoppedSince >= stoppedMs;
      if (state !== 'dead' && !stopped) continue;
      unwatch(one);
      one.gone();
    }
  };
  const unwatch = (one: Watched): void => {
    watched.delete(one);
    if (watched.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };

  return {
    evidence: JSON.stringify(here),
    watch(text, gone) {
      const evidence = readEvidence(text);
      if (!evidence || !isComparable(evidence, here)) return undefined;
      if (stateOf(evidence, here) === 'dead') {
        queueMicrotask(gone);
        return () => undefined;
      }
      const one: Watched = { evidence, gone, stoppedSince: undefined };
      watched.add(one);
      if (!timer) {
        lookedAt = performance.now();
        timer = setInterval(look, intervalMs);
        timer.unref();
      }
      return () => unwatch(one);
    },
  };
}

function ownEvidence(): Evidence {
  const started = procStat(process.pid)?.started;
  const boot = readText('/proc/sys/kernel/random/boot_id');
  const pidNamespace = linkTarget('/proc/self/ns/pid');
  return {
    pid: process.pid,
    ...(started !== undefined && { started }),
    ...(boot !== undefined && { boot }),
    ...(pidNamespace !== undefined && { pidNamespace }),
    host: hostname(),
  };
}

function readEvidence(text: string): Evidence | undefined {
  try {
    const evidence: unknown = JSON.parse(text);
    const isOne =
      typeof evidence === 'object' && evidence !== null && 'pid' in evidence && Number.isSafeInteger(evidence.pid);
    return isOne ? (evidence as Evidence) : undefined;
  } catch {
    return undefined;
  }
}

function isComparable(theirs: Evidence, here: Evidence): boolean {
  if (theirs.pid <= 0 || theirs.host !== here.host) return false;
  return diedAtReboot(theirs, here) || (theirs.boot === here.boot && theirs.pidNamespace === here.pidNamespace);
}

/** No process outlives a reboot of its machine. */
function diedAtReboot(theirs: Evidence, here: Evidence): boolean {
  return theirs.boot !== undefined && here.boot !== undefined && theirs.boot !== here.boot;
}

function stateOf(theirs: Evidence, here: Evidence): 'alive' | 'stopped' | 'dead' {
  const { pid, started } = theirs;
  if (diedAtReboot(theirs, here)) return 'dead';
  if (started === undefined) return exists(pid) ? 'alive' : 'dead';
  const found = procStat(pid);
  // Not readable need not mean not there: another user's process may be hidden, or this process out of descriptors.
  if (!found) return exists(pid) ? 'alive' : 'dead';
  if (found.started !== started) return 'dead';
  switch (found.state) {
    case 'Z':
    case 'X':
      return 'dead';
    case 'T':
      return 'stopped';
    default:
      return 'alive';
  }
}

/** Fields 3 and 22 of proc(5)'s stat; the second, a name in parentheses, may hold spaces and parentheses itself. */
function procStat(pid: number): { readonly state: string; readonly started: string } | undefined {
  const text = readText(`/proc/${pid}/stat`);
  if (text === undefined) return undefined;
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state, started] = [fields[0], fields[22 - 3]];
  return state === undefined || started === undefined ? undefined : { state, started };
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined;
  }
}

function linkTarget(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}
