import { advise } from './advice.ts';
import type { App } from './app.ts';
import { scriptAddress } from './trusted.ts';

/** Keeps the page's files, so that it loads without a network, and says when there is a newer build. */
export function offline(app: App): void {
  const { serviceWorker } = navigator;
  // Absent without TLS, and in some private windows: then the page needs the network to load.
  if (!serviceWorker) return;
  serviceWorker.register(scriptAddress('offline.js')).then(
    (registration) => {
      const offer = (worker: ServiceWorker | null): void => {
        if (!worker || !serviceWorker.controller) return;
        app.say({
          tone: 'news',
          text: 'There is a newer version of this page. Runs under way go on in it.',
          offer: { title: 'Load it', run: () => worker.postMessage('take-over') },
        });
      };
      offer(registration.waiting);
      registration.addEventListener('updatefound', () => {
        const { installing } = registration;
        installing?.addEventListener('statechange', () => installing.state === 'installed' && offer(installing));
      });
    },
    (error) => app.say({ tone: 'news', text: `This page loads with a network only: ${advise(error)}` }),
  );
  const first = !serviceWorker.controller;
  serviceWorker.addEventListener('controllerchange', () => {
    if (!first) location.reload();
  });
}
