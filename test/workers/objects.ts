import { env, runInDurableObject } from 'cloudflare:test';
import type { Bare } from './worker.ts';

/** A Durable Object of its own. */
export function bareObject(): DurableObjectStub<Bare> {
  return env.BARE.getByName(crypto.randomUUID());
}

/** Runs `body` inside a Durable Object of its own. */
export function inObject<T>(body: (state: DurableObjectState) => Promise<T>): Promise<T> {
  return runInDurableObject(bareObject(), (_, state) => body(state));
}
