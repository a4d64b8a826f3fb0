/** Placeholder type until the engine lands; replaced by the engine branch. */
export interface RunState {
  readonly status: string;
}
