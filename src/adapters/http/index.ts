export type { ConnectionOptions } from './connection.ts';
export { HttpStorage, type HttpStorageOptions } from './http-storage.ts';
export { type SignalLinkOptions, signalLink } from './signal-link.ts';
