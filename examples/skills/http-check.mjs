// Asks for a page and prints {url, status, ms, bytes}. Fails when it is not as expected, so that a retry tries again.
const {
  SKILL_PARAM_url: url,
  SKILL_PARAM_status: wanted = '200',
  SKILL_PARAM_contains: contains = '',
  SKILL_PARAM_max_ms: maxMs = '5000',
} = process.env;
const start = performance.now();
const fail = (message) => {
  console.error(`${url} ${message}`);
  process.exit(1);
};
try {
  const answer = await fetch(url, { redirect: 'follow', signal: AbortSignal.timeout(Number(maxMs)) });
  const text = await answer.text();
  const ms = Math.round(performance.now() - start);
  if (answer.status !== Number(wanted)) fail(`answered ${answer.status}, not ${wanted}`);
  if (!text.includes(contains)) fail(`does not say "${contains}"`);
  console.log(JSON.stringify({ url, status: answer.status, ms, bytes: text.length }));
} catch (error) {
  fail(
    error.name === 'TimeoutError'
      ? `took over ${maxMs} ms`
      : `cannot be reached: ${error.cause?.code ?? error.message}`,
  );
}
