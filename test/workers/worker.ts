import { DurableObject } from 'cloudflare:workers';

/** An object with nothing in it, for tests that bring their own. */
export class Bare extends DurableObject {}

export default { fetch: () => new Response('there is nothing here') };
