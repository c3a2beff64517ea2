import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { entries, report, reports } from './api-report.ts';

mkdirSync(reports, { recursive: true });
const scratch = mkdtempSync(join(tmpdir(), 'fuseline-api-'));
for (const entry of entries) {
  const { changed } = report('write', entry, resolve(import.meta.dirname, '../..'), scratch);
  console.log(`docs/api/${entry.report}: ${changed ? 'written' : 'as it was'}`);
}
rmSync(scratch, { recursive: true });
