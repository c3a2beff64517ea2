import { EXIT } from './exits.ts';

/**
 * One press of Ctrl-C may arrive twice: npm and npx pass it on to a process the terminal has told already. Nobody
 * presses twice as fast as this.
 */
const SAME_PRESS_MS = 200;

/** What happens when the user wants this process to end: the first time it drains, the second time it leaves at once. */
export function onInterrupt({ drain, leave }: { readonly drain: () => void; readonly leave: () => void }): () => void {
  let firstAt: number | undefined;
  const heard = (): void => {
    const now = performance.now();
    if (firstAt === undefined) {
      firstAt = now;
      drain();
    } else if (now - firstAt >= SAME_PRESS_MS) {
      leave();
      process.exit(EXIT.interrupted);
    }
  };
  process.on('SIGINT', heard);
  process.on('SIGTERM', heard);
  return () => {
    process.off('SIGINT', heard);
    process.off('SIGTERM', heard);
  };
}
