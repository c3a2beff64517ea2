// Renders the page, and says on stderr what of a browser was touched for it.
const BROWSER = ['window', 'self', 'document', 'location', 'indexedDB', 'IDBKeyRange', 'Worker', 'localStorage'];
for (const name of BROWSER) {
  Object.defineProperty(globalThis, name, { get: () => void console.error(`touched ${name}`), configurable: true });
}
const { render } = await import('./app.js');
console.log(
  `<!doctype html><html lang="en"><title>wild</title>${render()}<script type="module" src="./client.js"></script></html>`,
);
