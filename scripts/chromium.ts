// Finds the browser the tests drive: the one CHROMIUM_PATH names, or the first of these in PATH.
import { execFileSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const MAC = '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome';

export function findChromium(): string | undefined {
  const { CHROMIUM_PATH, PATH = '' } = process.env;
  if (CHROMIUM_PATH) return CHROMIUM_PATH;
  const inPath = PATH.split(delimiter).flatMap((directory) => NAMES.map((name) => join(directory, name)));
  return [...inPath, MAC].find((path) => existsSync(path));
}

declare module 'vitest' {
  interface ProvidedContext {
    backend: IndexedDBBackend;
  }
}

/** What Chromium keeps the rows of IndexedDB in: it is moving from the first to the second. */
export type IndexedDBBackend = 'LevelDB' | 'SQLite';

/** Profiles of this run: in a private one, which a test gets unless told, IndexedDB never touches the disk. */
export const profiles = join(tmpdir(), `fuseline-chromium-${process.pid}`);

/** Runs before the tests in a browser, which are never left out in silence. */
export default function needChromium(): void {
  if (!findChromium()) install();
  const path = findChromium();
  if (!path || !existsSync(path)) {
    const found = path ? `CHROMIUM_PATH says ${path}, which does not exist` : 'no Chromium was found';
    throw new Error(
      `The tests in a browser cannot run: ${found}; install Chromium or Chrome, or set CHROMIUM_PATH to its path.`,
    );
  }
  // Chromium writes until the very end.
  process.once('exit', () => rmSync(profiles, { recursive: true, force: true, maxRetries: 10 }));
}

function install(): void {
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) return;
  console.log('No Chromium found: installing the one of this system.');
  const apt = (...args: readonly string[]) =>
    execFileSync('apt-get', args, { stdio: 'inherit', env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } });
  try {
    apt('update', '-qq');
    apt('install', '-qq', '--yes', '--no-install-recommends', 'chromium');
  } catch {
    // Said by apt-get already; what to do comes next.
  }
}

/**
 * What no test sees, and what costs more of a processor than most tests do on their pages: suggestions of the address
 * bar, a page of their own for each window, shown or not (1.5 s in Chromium 156), and a process kept ready for the next
 * page of each (0.1 s).
 */
const UNSEEN = ['WebUIOmniboxPopup', 'WebUIOmniboxAimPopup', 'SpareRendererForSitePerProcess'];
/** Chromium heeds the last such switch alone, and Playwright has one: these of its list, pages would notice. */
const OF_PLAYWRIGHT = ['AvoidUnnecessaryBeforeUnloadCheckSync', 'HttpsUpgrades', 'PaintHolding'];

export function without(...features: readonly string[]): string {
  return `--disable-features=${[...UNSEEN, ...OF_PLAYWRIGHT, ...features].join(',')}`;
}

export const chromiumArgs: readonly string[] = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  // Nothing leaves the machine; without this Chromium looks for accounts and updates.
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1',
  without(),
];
