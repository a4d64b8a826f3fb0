/** What isolation a supervisor may be asked for; `cgroup` is v2 or v1, or refuse. */
export const ISOLATION_REQUESTS = ['auto', 'cgroup', 'polling'] as const;
export type IsolationRequest = (typeof ISOLATION_REQUESTS)[number];

export function isIsolationRequest(text: string): text is IsolationRequest {
  return ISOLATION_REQUESTS.some((known) => known === text);
}
