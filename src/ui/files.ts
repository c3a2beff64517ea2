/** A file of the page. */
export interface PageFile {
  readonly type: string;
  readonly text: string;
}

/** By name. The build puts them here: scripts/bundle.mjs. */
export const files: Readonly<Record<string, PageFile>> = {};
