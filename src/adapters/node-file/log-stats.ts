/** What a process did to a log since it opened it. */
export interface LogStats {
  /** Commits in the log by this process, and the writes that carried them. */
  commits: number;
  groups: number;
  /** Records of this process that another commit made void. */
  voids: number;
  syncs: number;
  bytesWritten: number;
  bytesRead: number;
  /** Pieces of records whose writers died, as read by this process. */
  torn: number;
  seals: number;
  /** Tables this process wrote, of the log or of other tables. */
  compactions: number;
}

export function noStats(): LogStats {
  return {
    commits: 0,
    groups: 0,
    voids: 0,
    syncs: 0,
    bytesWritten: 0,
    bytesRead: 0,
    torn: 0,
    seals: 0,
    compactions: 0,
  };
}
