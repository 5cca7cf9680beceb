/** One step of a long action. `done` and `total` count the same unit when both are present. */
export type ProgressEvent = {
  readonly step: string
  readonly done?: number
  readonly total?: number
}

/** Receives progress of a long action; the library never prints. */
export type Progress = (event: ProgressEvent) => void

/** Discards progress. */
export const silent: Progress = () => {}
