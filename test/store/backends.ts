import { MemoryStore } from 'fuseline';
import { type Bracket, bracket } from 'fuseline/testing';

/** Every store this package brings. A line here buys every suite. */
export const backends: Readonly<Record<string, Bracket>> = {
  memory: bracket(() => inMemory()),
};

function inMemory() {
  const rows = new MemoryStore();
  return { open: () => rows.reopen() };
}
