import type { Host } from '../core/host.ts';

/** The longest delay a platform timer takes; with a longer one it fires at once. */
const LONGEST_MS = 2 ** 31 - 1;

/** How far the wall clock may lag behind the monotonic one by being slowed down. A larger lag means that it was set. */
const SLEW_MS = 1000;

/** Over the globals that browsers, Node and workerd share. */
export const webHost: Host = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  random: () => Math.random(),
  // Pages without TLS have no randomUUID.
  id: () => (typeof crypto.randomUUID === 'function' ? crypto.randomUUID() : randomHex()),
  after(ms, callback) {
    const due = performance.now() + ms;
    const wallDue = Date.now() + ms;
    let timer: ReturnType<typeof setTimeout>;
    // Timers fire up to a millisecond early: Node rounds delays down, browsers coarsen their clocks.
    const look = (): void => {
      const lag = wallDue - Date.now();
      const left = Math.max(due - performance.now(), lag < SLEW_MS ? lag : 0);
      if (left > 0) arm(left);
      else callback();
    };
    const arm = (delay: number): void => {
      timer = setTimeout(look, Math.min(Math.ceil(delay), LONGEST_MS));
    };
    arm(ms);
    return () => clearTimeout(timer);
  },
  abortController: () => new AbortController(),
};

function randomHex(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
