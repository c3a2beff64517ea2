import type { Execution } from './execution.ts';
import type { GraphStep } from './graph.ts';
import type { Network } from './host.ts';

/** What `fetch` and its like throw where nothing answers, or too late; a CORS error is of the same name. */
const NETWORK_ERRORS: readonly string[] = ['TypeError', 'NetworkError', 'AbortError', 'TimeoutError'];

export function isReachable({ requires }: GraphStep, network: Network | undefined): boolean {
  return requires !== 'network' || network === undefined || network.isOnline;
}

/**
 * The same execution; or, where a step that requires the network failed with what may be its absence, and nobody else
 * answers either, one that met no network. A server that answers with an error is a network.
 */
export async function judgeOffline(
  execution: Execution,
  { requires }: GraphStep,
  network: Network | undefined,
): Promise<Execution> {
  const { outcome } = execution;
  if (requires !== 'network' || network === undefined || outcome.status !== 'failed') return execution;
  const { name, code } = outcome.error;
  if (!NETWORK_ERRORS.includes(name) && code !== 'STEP_TIMEOUT') return execution;
  if (network.isOnline && (await network.probe())) return execution;
  return { outcome: { status: 'offline', error: outcome.error }, value: undefined };
}
