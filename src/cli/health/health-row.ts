/** One thing that was looked at. `missing` = works without it, but gives less. */
export interface HealthRow {
  readonly name: string;
  readonly state: 'ok' | 'missing' | 'broken';
  readonly detail: string;
  readonly fix: string | null;
}
