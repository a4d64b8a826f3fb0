/** The variables of a caller that describe a model, or hold its key, where no file does. */
export const MODEL_VARIABLES = [
  'Q_WORKFLOW_MODEL',
  'Q_WORKFLOW_MODEL_PROVIDER',
  'Q_WORKFLOW_MODEL_BASE_URL',
  'Q_WORKFLOW_API_KEY',
  'OPENAI_API_KEY',
  'ANTHROPIC_API_KEY',
  'AWS_BEARER_TOKEN_BEDROCK',
  'AWS_ACCESS_KEY_ID',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
  'AWS_REGION',
] as const;
