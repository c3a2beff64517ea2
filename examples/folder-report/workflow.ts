import { typed, workflow } from 'fuseline';
import { countLines } from './count.ts';
import { findDuplicates } from './duplicates.ts';
import { folderTable, treeOf } from './outline.ts';
import { auditOf, writeReport } from './report.ts';
import { largestOf, scan } from './scan.ts';

export interface Task {
  /** Absolute; so are the others. */
  readonly folder: string;
  readonly report: string;
  /** Folders that are not looked into, whatever they are called. */
  readonly leaveOut: readonly string[];
  /** `slow` rests between the parts of a long step, so that a person can watch, and kill. */
  readonly pace: 'full' | 'slow';
}

/** Above it a tree of all files is more than a person wants to read. */
const LARGE = 60;

export const folderReport = workflow('folder-report', { input: typed<Task>() }, ($) => {
  const task = $.input;
  const files = $.step('scan', { task }, scan);
  const lines = $.step('count', { task, files }, countLines);
  const largest = $.step('largest', { files }, ({ files }) => largestOf(files));
  const copies = $.step('hash', { task, files }, findDuplicates, { retry: 3 });
  const size = $.branch('size', { files }, ({ files }) => (files.count > LARGE ? 'large' : 'small'));
  const tree = $.step('tree', { files }, treeOf, { after: size.on('small') });
  const folders = $.step('folders', { files }, folderTable, { after: size.on('large') });
  const audit = $.step('audit', { copies: $.settled(copies) }, auditOf);
  return $.step('write', { task, files, lines, largest, audit, outline: $.any(tree, folders) }, writeReport);
});
