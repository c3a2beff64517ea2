import { type LiveRun, liveRun, type RuntimeStorage } from 'fuseline';
import { useMemo, useSyncExternalStore } from 'react';

export function useRun(storage: RuntimeStorage, id: string): LiveRun {
  const live = useMemo(() => liveRun(storage, id), [storage, id]);
  return useSyncExternalStore(live.subscribe, live.getSnapshot, live.getSnapshot);
}
