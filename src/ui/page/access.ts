import { FuselineError } from '../../core/errors.ts';

/** Whom a service takes the page for. */
export type Access =
  /** It wants a token, or another one. */
  | { readonly status: 'unknown'; readonly sentence: string }
  /** `refusal`: why it may not command runs. */
  | { readonly status: 'known'; readonly refusal?: string };

/** Asks a service. Rejects if it cannot be reached. */
export async function askWhoAmI(service: URL, token: string | undefined): Promise<Access> {
  const response = await fetch(`${service.href.replace(/\/+$/, '')}/caller`, {
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
  });
  const answer = (await response.json().catch(() => ({}))) as {
    readonly role?: string;
    readonly error?: { readonly message: string };
  };
  const { role, error } = answer;
  if (response.status === 401)
    return {
      status: 'unknown',
      sentence:
        token === undefined
          ? 'The service wants to know who looks. Give it a token.'
          : 'The service does not know this token. Give it another one.',
    };
  if (!response.ok || role === undefined)
    throw new FuselineError(
      'UNAVAILABLE',
      error?.message ?? `${service.href} answered ${response.status}, and not as a service of workflows does`,
    );
  if (role === 'admin') return { status: 'known' };
  return { status: 'known', refusal: `a ${role} token only looks here; commands need an admin token` };
}
