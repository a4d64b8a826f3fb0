// Fails with a message unless a value is true: the gate at the end of a check.
const { SKILL_PARAM_holds: holds, SKILL_PARAM_message: message = 'the check failed' } = process.env;
if (holds !== 'true') {
  console.error(message);
  process.exit(1);
}
console.log(JSON.stringify({ holds: true }));
