import { webHost } from '../host.ts';
import type { Order } from './page-host.ts';

const armed = new Map<number, () => void>();

addEventListener('message', ({ data: [id, ms] }: MessageEvent<Order>) => {
  if (ms === undefined) {
    armed.get(id)?.();
    armed.delete(id);
    return;
  }
  const ring = (): void => {
    armed.delete(id);
    postMessage(id);
  };
  armed.set(id, webHost.after(ms, ring));
});
