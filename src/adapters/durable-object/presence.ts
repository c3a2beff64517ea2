import type { Liveness } from '../../core/host.ts';
import { webHost } from '../host.ts';

const KIND = 'boot/';

const boots = new WeakMap<object, Liveness>();

/**
 * The workers inside an object live and die with it, and the platform runs it once at a time: whoever has another boot
 * id is dead. `storage` is the object's own, another one after every start.
 */
export function presenceIn(storage: object): Liveness {
  const known = boots.get(storage) ?? presenceOf(webHost.id());
  boots.set(storage, known);
  return known;
}

function presenceOf(boot: string): Liveness {
  return {
    evidence: `${KIND}${boot}`,
    watch(evidence, gone) {
      if (!evidence.startsWith(KIND)) return undefined;
      if (evidence !== `${KIND}${boot}`) gone();
      return () => undefined;
    },
  };
}
