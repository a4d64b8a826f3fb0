/** The variables that lead a run to a mock provider. */
export function modelVariables(url: string): NodeJS.ProcessEnv {
  return {
    Q_WORKFLOW_MODEL: 'mock-model',
    Q_WORKFLOW_MODEL_BASE_URL: `${url}/v1`,
    Q_WORKFLOW_API_KEY: 'sk-bench-0123456789',
  };
}
