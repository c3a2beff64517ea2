import type { Attempt } from './attempt.ts';
import type { BodyTurns } from './body-turns.ts';
import type { Claim, Found } from './claims.ts';
import type { Outcome } from './decide.ts';
import type { Callee, Handler } from './definition.ts';
import { durationMs, isDuration } from './duration.ts';
import { NonRetryableError, rebuildError, recordError } from './errors.ts';
import { MAX_ITEMS } from './graph.ts';
import { childId } from './ids.ts';
import type { RuntimeStorage } from './storage.ts';

/** How a body ended, and the value it handed back. */
export interface Execution {
  readonly outcome: Outcome;
  readonly value: unknown;
}

type Called = Awaited<ReturnType<Callee['prepare']>>;

const SKIPPED: Execution = { outcome: { status: 'skipped' }, value: undefined };

/**
 * Runs one attempt, once it is its turn: its conditions in the order of the needs, then its body. Never throws. Its
 * time runs when it has `begun`. What it answers for an attempt that is closed means nothing.
 */
export async function execute(
  attempt: Attempt,
  handler: Handler,
  storage: RuntimeStorage,
  turns: BodyTurns,
  begun: () => void,
): Promise<Execution> {
  const { claim } = attempt;
  try {
    const needs: [string, unknown][] = [];
    for (const [need, found] of claim.fallback ? [] : claim.needs)
      needs.push([need.param, isAtHand(found) ? decodeNow(storage, found) : await storage.resolve(claim.run, found)]);
    // Asked again right before: of those who waited for the same turn one may have kept the others from it.
    for (let waiting = turns.take(); waiting; waiting = turns.take()) await waiting;
    if (attempt.isClosed) return SKIPPED;
    begun();
    let value: unknown;
    if (claim.fallback) {
      value = await handler.fallback?.(rebuildError(claim.fallback), attempt);
    } else {
      for (const [i, [param, given]] of needs.entries()) {
        if (claim.needs[i]?.[0].when && !(await handler.conditions?.get(param)?.(given as never))) return SKIPPED;
      }
      if (claim.spec.kind === 'each' && claim.item === undefined)
        return { outcome: { status: 'spread', items: countOf(claim, needs[0]?.[1]) }, value: undefined };
      if (handler.conditions?.size) for (let waiting = turns.take(); waiting; waiting = turns.take()) await waiting;
      // It may have been taken back meanwhile.
      if (attempt.isClosed) return SKIPPED;
      const result = handler.run(Object.fromEntries(needs) as never, attempt);
      value = isPromise(result) ? await result : result;
    }
    // What it said comes before how it ended.
    const { emitted } = attempt;
    if (emitted) await emitted;
    if (handler.calls && !claim.fallback) return called(claim, await handler.calls().prepare(value), storage.host.id());
    if (claim.fallback) return { outcome: { status: 'succeeded', road: value }, value };
    if (claim.spec.kind === 'loop' && !(await handler.until?.(value as never)))
      return { outcome: { status: 'again' }, value };
    if (claim.spec.kind === 'sleep')
      return { outcome: { status: 'sleeping', until: momentOf(value) }, value: undefined };
    return { outcome: { status: 'succeeded', road: value }, value };
  } catch (error) {
    // Of several reasons the first one counts.
    await attempt.emitted?.catch(() => undefined);
    return { outcome: failure(error, handler, storage.host.now()), value: undefined };
  }
}

function called({ run }: Claim, { graph, input, labels }: Called, unique: string): Execution {
  const {
    hash,
    graph: { name: workflow },
  } = graph;
  return { outcome: { status: 'called', child: childId(run, unique), workflow, graph: hash, labels }, value: input };
}

/** Throws for what is no list, or one that is too long. */
function countOf({ spec }: Claim, list: unknown): number {
  const named = `step ${JSON.stringify(spec.name)} runs for each item of a list`;
  if (!Array.isArray(list)) throw new NonRetryableError(`${named}, and was given ${show(list)}`);
  if (list.length <= MAX_ITEMS) return list.length;
  throw new NonRetryableError(`${named}, and was given ${list.length} items; at most ${MAX_ITEMS} are allowed`);
}

function show(value: unknown): string {
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}

/** Throws a `TypeError` for what is no moment. */
function momentOf(value: unknown): number {
  const at = value instanceof Date ? value.getTime() : value;
  if (typeof at === 'number' && Number.isFinite(at)) return Math.ceil(at);
  throw new TypeError(`a step sleeps until a Date or epoch milliseconds, and its handler handed back ${String(value)}`);
}

export function failure(error: unknown, { retryWhen }: Pick<Handler, 'retryWhen'>, now: number): Outcome {
  const recorded = recordError(error);
  const never = isFinal(error, recorded.name) || allows(retryWhen, error) === false;
  const notBefore = recorded.name === 'RetryAfterError' ? earliest((error as { when?: unknown }).when, now) : undefined;
  return {
    status: 'failed',
    error: recorded,
    ...(never && { again: 'never' }),
    ...(notBefore !== undefined && { notBefore }),
  };
}

// By name as well, because the error may come from another copy of this package.
function isFinal(error: unknown, name: string): boolean {
  return error instanceof NonRetryableError || name === 'NonRetryableError';
}

/** Where the question itself fails, nobody can say that another attempt may help. */
function allows(retryWhen: Handler['retryWhen'], error: unknown): boolean {
  try {
    return retryWhen?.(error) !== false;
  } catch {
    return false;
  }
}

/** `undefined` for what is no moment: then the backoff alone decides. */
function earliest(when: unknown, now: number): number | undefined {
  const at = when instanceof Date ? when.getTime() : isDuration(when) ? now + durationMs(when) : Number.NaN;
  return Number.isFinite(at) ? at : undefined;
}

/** Whether decoding needs no look at the store, which is what nearly every need of nearly every step is like. */
function isAtHand(found: Found): found is Found & { kind: 'value' } {
  return found.kind === 'value' && typeof found.stored !== 'object';
}

function decodeNow(storage: RuntimeStorage, { stored }: Found & { kind: 'value' }): unknown {
  return stored === undefined ? undefined : storage.codec.decode(stored as string);
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value;
}
