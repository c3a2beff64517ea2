import type { RuntimeStorage } from 'fuseline';

/** What a storage is tried with: one that is opened as often as it is asked for, always the same. */
export interface Ground {
  open(): RuntimeStorage;
}

export interface FeatureCase {
  readonly name: string;
  /** Throws where the storage does not keep what is promised. */
  readonly run: (ground: Ground) => Promise<void>;
}

export async function during<T>({ open }: Ground, body: (storage: RuntimeStorage) => Promise<T>): Promise<T> {
  const storage = open();
  try {
    return await body(storage);
  } finally {
    await storage.close();
  }
}
