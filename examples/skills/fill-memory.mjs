// Takes the given number of megabytes and touches every page.
const kept = [];
for (let taken = 0; taken < Number(process.env.SKILL_PARAM_megabytes); taken += 16) {
  kept.push(Buffer.alloc(16 * 1024 * 1024, 1));
  if (taken % 64 === 0) console.log(`${taken + 16} MB`);
}
