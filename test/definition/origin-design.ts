/** The examples of the origin design, exactly as printed there, in one file. */
export const ORIGIN_EXAMPLE = `{
  "name": "workflow-name",
  "version": "1.0.0",
  "description": "Workflow description",
  "triggers": [
    { "type": "manual", "description": "User-initiated" },
    { "type": "schedule", "cron": "0 9 * * *", "timezone": "UTC" }
  ],
  "context": {
    "readonly": { "environment": "production", "user": "alice" },
    "mutable": { "counter": 0 }
  },
  "steps": [
    {
      "id": "fetch-data", "type": "skill", "skill": "http-fetch",
      "inputs": { "url": "https://api.example.com/data" },
      "outputs": ["data"], "async": false, "timeout": 30
    },
    {
      "id": "analyze", "type": "agent", "agent": "data-analyzer",
      "inputs": { "data": "fetch-data.data" },
      "outputs": ["analysis"], "async": true,
      "guardrails": { "max_iterations": 10, "allowed_tools": ["fs_read", "execute_bash"] }
    },
    {
      "id": "parallel-tasks", "type": "parallel",
      "steps": [
        {"id": "task1", "type": "skill", "skill": "process-a"},
        {"id": "task2", "type": "skill", "skill": "process-b"}
      ],
      "wait_for": "all"
    },
    {
      "id": "conditional", "type": "conditional", "condition": "fetch-data.status == 200",
      "then": [{"id": "success", "type": "skill", "skill": "process"}],
      "else": [{"id": "failure", "type": "skill", "skill": "log-error"}]
    },
    {
      "id": "loop", "type": "loop", "condition": "counter < 5",
      "steps": [{"id": "process", "type": "skill", "skill": "process-item"}],
      "max_iterations": 10
    }
  ],
  "error_handling": {
    "default": "halt",
    "per_step": {
      "fetch-data": { "strategy": "retry", "max_attempts": 3, "backoff": "exponential" },
      "analyze": { "strategy": "skip", "continue_on_error": true }
    },
    "rollback": { "enabled": true, "steps": ["cleanup"] }
  },
  "resource_limits": {
    "max_memory_mb": 512, "max_cpu_percent": 50, "max_execution_time": 3600, "max_concurrent_steps": 5
  }
}`;
