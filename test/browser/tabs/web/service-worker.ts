import { type Job, work } from './work.ts';

/** As much of a service worker's message event as DOM's types lack. */
interface ServiceWorkerMessage extends MessageEvent<Job> {
  waitUntil(promise: Promise<unknown>): void;
}

addEventListener('message', (event) => {
  const { data, waitUntil } = event as ServiceWorkerMessage;
  waitUntil.call(event, work(data));
});
