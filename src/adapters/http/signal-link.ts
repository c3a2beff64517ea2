import { portable } from '../../core/codec.ts';
import { type Duration, durationMs } from '../../core/duration.ts';
import { FuselineError } from '../../core/errors.ts';
import { checkId, isName } from '../../core/ids.ts';
import { webHost } from '../host.ts';
import { checkNamespace } from '../namespace.ts';
import { secretsIn } from '../secrets.ts';

export interface SignalLinkOptions {
  /** Of a step, its `context.runId`. */
  readonly run: string;
  readonly signal: string;
  readonly payload?: unknown;
  /**
   * The question that is answered: of all links to a signal with the same one, the first that is used counts, and no
   * other. Of a step, its `context.key`, so that what an earlier attempt sent counts as well.
   */
  readonly once: string;
  /** When it is no longer good: a moment, or how long from now. */
  readonly expires: Duration | Date;
  /** What its button says, such as `Approve order 17`; `Send`, and the signal, unless told. */
  readonly action?: string;
  /** Of the run. Not from its input: who dispatches could name another one's. */
  readonly namespace?: string;
  /** 32 characters or more, the same as the service's. */
  readonly secret: string;
}

/** What is signed. */
export interface SignalLinkTerms extends Pick<SignalLinkOptions, 'run' | 'signal' | 'once' | 'action' | 'namespace'> {
  /** The payload as the codec writes it. */
  readonly text: string;
  /** Epoch milliseconds, as is `made`: when it was signed. */
  readonly expires: number;
  readonly made: number;
}

/** Whoever has a link has what it takes to try secrets out, for as long as it likes. */
export const LEAST_SECRET = 32;
/** Of the token. Mail programs cut what is much longer. */
export const MOST_TOKEN = 2000;

const encoder = new TextEncoder();

/**
 * An address that sends one signal to one run, for whoever opens it and presses the button there: an approval by mail.
 * `base` is where the routes are, and they must have the same secret as `links`.
 */
export async function signalLink(base: string | URL, options: SignalLinkOptions): Promise<string> {
  const { run, signal, payload, once, expires, action, namespace, secret } = options;
  checkId(run);
  if (namespace !== undefined) checkNamespace(namespace);
  for (const name of [signal, action])
    if (name !== undefined && !isName(name))
      throw new TypeError(`a link cannot say ${JSON.stringify(name)}; give its signal and action 1 to 256 characters`);
  if (typeof once !== 'string' || once === '')
    throw new TypeError('a link needs to know which question it answers; give it once, of a step its context.key');
  const [key] = secretsIn(secret);
  if (key === undefined || key.length < LEAST_SECRET)
    throw new TypeError(`the secret of a link is missing or short; give it ${LEAST_SECRET} characters or more`);
  const made = webHost.now();
  const end = expires instanceof Date ? expires.getTime() : made + durationMs(expires);
  if (Number.isNaN(new Date(end).getTime()))
    throw new TypeError(
      'a link cannot expire at a moment that there is not; give it a Date or a duration such as "7d"',
    );
  const terms: SignalLinkTerms = {
    run,
    signal,
    text: portable.encode(payload),
    once,
    expires: Math.round(end),
    made,
    ...(action !== undefined && { action }),
    ...(namespace !== undefined && { namespace }),
  };
  const said = base64url(encoder.encode(JSON.stringify(terms)));
  const mac = await crypto.subtle.sign('HMAC', await linkKey(key, 'sign'), signedPart(said));
  const token = `${said}.${base64url(new Uint8Array(mac))}`;
  if (token.length > MOST_TOKEN)
    throw new FuselineError(
      'VALUE_TOO_LARGE',
      `the link has ${token.length} characters, and ${MOST_TOKEN} are the most; keep what is large with the run`,
    );
  return `${String(base).replace(/\/+$/, '')}/links/${token}`;
}

export function linkKey(secret: string, use: 'sign' | 'verify'): Promise<CryptoKey> {
  return crypto.subtle.importKey('raw', encoder.encode(secret), { name: 'HMAC', hash: 'SHA-256' }, false, [use]);
}

/** Nothing else that somebody signs with the same secret can be taken for a link. */
export function signedPart(said: string): Uint8Array<ArrayBuffer> {
  return encoder.encode(`fuseline-link/1.${said}`);
}

export function base64url(bytes: Uint8Array): string {
  const binary = Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}
