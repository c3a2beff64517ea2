import type { Live } from 'fuseline';
import { type Readable, readable } from 'svelte/store';

export function storeOf<T>(live: Live<T>): Readable<T> {
  return readable(live.getSnapshot(), (set) => {
    set(live.getSnapshot());
    return live.subscribe(() => set(live.getSnapshot()));
  });
}
