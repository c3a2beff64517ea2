// Taken before a test can put clocks of its own in its place, which would not turn by themselves.
const { setImmediate, process } = globalThis as unknown as {
  setImmediate?: (callback: () => void) => unknown;
  process?: { nextTick?: (callback: () => void) => void };
};
const nextTick = process?.nextTick;

/**
 * Resolves once everything has happened that waits for nothing but promises: a turn of the event loop that costs less
 * than a timer does, where the platform has one.
 */
export const settle: () => Promise<void> = setImmediate ? nextImmediate : nextMessage;

/** The same at a fraction of the cost, where the platform can; nothing else of its process gets a turn meanwhile. */
export const drain: () => Promise<void> = nextTick ? () => new Promise((resolve) => nextTick(resolve)) : settle;

function nextImmediate(): Promise<void> {
  return new Promise((resolve) => void setImmediate?.(resolve));
}

function nextMessage(): Promise<void> {
  const { MessageChannel } = globalThis as unknown as {
    MessageChannel: new () => {
      readonly port1: { onmessage: (() => void) | null; close(): void };
      readonly port2: { postMessage(message: unknown): void };
    };
  };
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });
}
