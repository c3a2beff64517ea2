const encoder = new TextEncoder();
/** Half of a hash: nobody finds another text for it, nor guesses it. */
const BYTES = 16;

/** What a worker's secret hashes to: it is kept, and shown, where the secret is not. */
export async function proofOf(secret: string): Promise<string> {
  return hex(await crypto.subtle.digest('SHA-256', encoder.encode(secret)));
}

/** Signs texts with a secret that is asked for once. */
export function signer(secret: () => Promise<string>): (text: string) => Promise<string> {
  let key: Promise<CryptoKey> | undefined;
  const importKey = async (): Promise<CryptoKey> => {
    const raw = encoder.encode(await secret());
    return crypto.subtle.importKey('raw', raw, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
  };
  return async (text) => {
    key ??= importKey().catch((error) => {
      key = undefined;
      throw error;
    });
    return hex(await crypto.subtle.sign('HMAC', await key, encoder.encode(text)));
  };
}

function hex(bytes: ArrayBuffer): string {
  return Array.from(new Uint8Array(bytes, 0, BYTES), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
