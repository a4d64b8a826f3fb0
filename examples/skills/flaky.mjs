// Fails until the attempt that SKILL_PARAM_succeeds_at names.
const attempt = Number(process.env.Q_WORKFLOW_ATTEMPT);
const wanted = Number(process.env.SKILL_PARAM_succeeds_at);
if (attempt < wanted) {
  console.error(`attempt ${attempt} fails, ${wanted} will not`);
  process.exit(1);
}
console.log(JSON.stringify({ attempt }));
