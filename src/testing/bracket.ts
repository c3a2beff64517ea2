import type { Store } from '../core/store.ts';

/** Opens a further handle on the data under test: at once a second one, after a close a reopened one. */
export type Open = () => Promise<Store>;

/**
 * A backend as the suites of this package see it: it makes data of its own, lends `body` the way to open it, and clears
 * up behind it, whether the body failed or not. "In a directory", "in a database of its own", "inside a Durable Object"
 * are brackets.
 */
export type Bracket = (body: (open: Open) => Promise<void>) => Promise<void>;

/** Some data that stores can be opened on. */
export interface Data {
  open(): Store | Promise<Store>;
  /** Called when every handle is closed. */
  remove?(): void | Promise<void>;
}

/** A bracket that closes what was opened on the data, then removes the data. */
export function bracket(make: () => Data | Promise<Data>): Bracket {
  return async (body) => {
    const data = await make();
    const opened: Store[] = [];
    try {
      await body(async () => {
        const store = await data.open();
        opened.push(store);
        return store;
      });
    } finally {
      await Promise.all(opened.map((store) => store.close()));
      await data.remove?.();
    }
  };
}
