import { DurableObjectStore } from 'fuseline/durable-object';
import { type Bracket, bracket } from 'fuseline/testing';
import { inObject } from './objects.ts';

/** The store of an object, and every handle on it, inside a Durable Object of its own. */
export const inDurableObject: Bracket = (body) =>
  inObject((state) => bracket(() => ({ open: () => new DurableObjectStore(state.storage) }))(body));
