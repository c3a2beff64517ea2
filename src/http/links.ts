import { webHost } from '../adapters/host.ts';
import {
  base64url,
  LEAST_SECRET,
  linkKey,
  MOST_TOKEN,
  type SignalLinkTerms,
  signedPart,
} from '../adapters/http/signal-link.ts';
import { NAMESPACE } from '../adapters/namespace.ts';
import { secretsIn } from '../adapters/secrets.ts';
import { FuselineError } from '../core/errors.ts';
import { ID, NAME, POSITION, TEXT } from './requests.ts';
import { type ObjectShape, shaped } from './shape.ts';

export interface LinkOptions {
  /** The name of the secret that `signalLink` signs with; it may be two, separated by a comma, the new one first. */
  readonly secret: string;
}

const TERMS = {
  type: 'object',
  properties: {
    run: ID,
    signal: NAME,
    text: TEXT,
    once: TEXT,
    expires: POSITION,
    made: POSITION,
    action: NAME,
    namespace: { type: 'string', pattern: NAMESPACE.source },
  },
  required: ['run', 'signal', 'text', 'once', 'expires', 'made'],
  additionalProperties: false,
} as const satisfies ObjectShape;

/** What the token of a link says, if one of the secrets of this service signed it, and its time is not over. */
export async function openLink(token: string, { secret }: LinkOptions, env: unknown): Promise<SignalLinkTerms> {
  const secrets = secretsIn((env as Readonly<Record<string, unknown>> | undefined)?.[secret]).filter(
    ({ length }) => length >= LEAST_SECRET,
  );
  if (secrets.length === 0) {
    throw new FuselineError(
      'UNAVAILABLE',
      `no link can be opened: ${secret} is not set, or shorter than ${LEAST_SECRET} characters; set it with wrangler secret put`,
    );
  }
  const terms = await signedTerms(token, secrets);
  // The same words for whatever is wrong with it: nobody learns what would be less so.
  if (!terms) throw new FuselineError('UNKNOWN_LINK', 'there is no such link; take all of it, as it was sent');
  if (terms.expires <= webHost.now()) {
    throw new FuselineError('LINK_EXPIRED', `this link was good until ${new Date(terms.expires).toUTCString()}`);
  }
  return terms;
}

async function signedTerms(token: string, secrets: readonly string[]): Promise<SignalLinkTerms | undefined> {
  if (token.length > MOST_TOKEN) return undefined;
  const [, said, mac] = /^([\w-]+)\.([\w-]{43})$/.exec(token) ?? [];
  if (said === undefined || mac === undefined) return undefined;
  const bytes = bytesIn(mac);
  // Two of its bits are in none of the bytes.
  if (base64url(bytes) !== mac) return undefined;
  const verdicts = await Promise.all(
    secrets.map(async (one) => crypto.subtle.verify('HMAC', await linkKey(one, 'verify'), bytes, signedPart(said))),
  );
  if (!verdicts.includes(true)) return undefined;
  try {
    return shaped(JSON.parse(new TextDecoder().decode(bytesIn(said))), TERMS, 'the link');
  } catch {
    return undefined;
  }
}

function bytesIn(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (one) => one.charCodeAt(0));
}
