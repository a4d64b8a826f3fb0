/** A tripped kill switch. */
export interface LatchRow {
  readonly scope: string;
  readonly mode: 'stop' | 'kill' | 'quarantine';
  readonly reason: string;
  readonly by: string;
  readonly at: number;
}
