import type { Live } from 'fuseline';
import { onScopeDispose, type ShallowRef, shallowRef } from 'vue';

export function useLive<T>(live: Live<T>): Readonly<ShallowRef<T>> {
  const snapshot = shallowRef(live.getSnapshot());
  const stop = live.subscribe(() => {
    snapshot.value = live.getSnapshot();
  });
  onScopeDispose(stop);
  return snapshot;
}
