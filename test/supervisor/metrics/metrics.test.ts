import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AuditEntry, SUPERVISOR } from '../../../src/audit/record.ts';
import { createLatency } from '../../../src/supervisor/metrics/latency.ts';
import { metricsAddress } from '../../../src/supervisor/metrics/metrics-address.ts';
import { otlpConfig } from '../../../src/supervisor/metrics/otlp-config.ts';
import { metricsJson, tracesJson } from '../../../src/supervisor/metrics/otlp-json.ts';
import { prometheusText } from '../../../src/supervisor/metrics/prometheus-text.ts';
import { createRecordMetrics } from '../../../src/supervisor/metrics/record-metrics.ts';
import {
  boundedNames,
  createCounter,
  createHistogram,
  gauge,
} from '../../../src/supervisor/metrics/registry.ts';
import { createSpanMaker } from '../../../src/supervisor/metrics/spans.ts';
import { statusMetrics } from '../../../src/supervisor/metrics/status-metrics.ts';
import { quietStatus } from '../../setup/supervisor-status.ts';

const record = (
  type: string,
  data: AuditEntry['data'],
  at = 0,
  instance: string | null = 'i1',
): AuditEntry => ({
  type,
  at,
  actor: SUPERVISOR,
  instance,
  data,
});

test('the text format: help, type, escaped labels, cumulative buckets', () => {
  const counter = createCounter('c_total', 'Two\nlines \\ here.');
  counter.add({ workflow: 'a"b\\c\n' });
  counter.add({ workflow: 'a"b\\c\n' }, 2);
  const histogram = createHistogram('h_seconds', 'Took.', [0.1, 1]);
  for (const value of [0.1, 0.5, 7]) histogram.observe(value);
  assert.equal(
    prometheusText([counter.family(), histogram.family(), gauge('g', 'Now.', 1.5)]),
    [
      '# HELP c_total Two\\nlines \\\\ here.',
      '# TYPE c_total counter',
      'c_total{workflow="a\\"b\\\\c\\n"} 3',
      '# HELP h_seconds Took.',
      '# TYPE h_seconds histogram',
      'h_seconds_bucket{le="0.1"} 1',
      'h_seconds_bucket{le="1"} 2',
      'h_seconds_bucket{le="+Inf"} 3',
      'h_seconds_sum 7.6',
      'h_seconds_count 3',
      '# HELP g Now.',
      '# TYPE g gauge',
      'g 1.5',
      '',
    ].join('\n'),
  );
});

test('names of workflows are bounded: the later ones share a label', () => {
  const name = boundedNames(2);
  assert.deepEqual(['a', 'b', 'c', 'a', 'd'].map(name), ['a', 'b', 'other', 'a', 'other']);
});

test('records are counted by what they say, and no id is a label', () => {
  const metrics = createRecordMetrics((id) => (id === 'i1' ? { workflow: 'w', createdAt: 1000 } : null));
  metrics.count([
    record('instance.created', { workflow: 'w' }),
    record('step.completed', { path: 'a', attempt: 1 }),
    record('permit.decided', { kind: 'tool', decision: 'deny' }),
    record('limit.hit', { limit: 'memory', path: 'a' }),
    record('approval.requested', { approval: 1 }),
    record('kill.tripped', { scope: 'global' }, 0, null),
    record('run.ended', { status: 'failed' }, 5000),
    record('run.ended', { status: 'completed' }, 5000, 'unknown-to-us'),
  ]);
  metrics.committed(0.002);
  metrics.notified('failed');
  const text = prometheusText(metrics.families());
  for (const line of [
    'q_workflow_runs_created_total{workflow="w"} 1',
    'q_workflow_runs_ended_total{workflow="w",status="failed"} 1',
    'q_workflow_runs_ended_total{workflow="unknown",status="completed"} 1',
    'q_workflow_run_seconds_sum{workflow="w"} 4',
    'q_workflow_steps_total{outcome="completed"} 1',
    'q_workflow_permits_total{kind="tool",decision="deny"} 1',
    'q_workflow_limits_hit_total{workflow="w",limit="memory"} 1',
    'q_workflow_approvals_total{outcome="requested"} 1',
    'q_workflow_kill_switches_tripped_total 1',
    'q_workflow_store_commit_seconds_bucket{le="0.0025"} 1',
    'q_workflow_notifications_total{outcome="failed"} 1',
  ])
    assert.ok(text.split('\n').includes(line), `${line}\n\n${text}`);
  assert.ok(!/i1|unknown-to-us/.test(text), 'no id');
});

test('a run over which the clock was set back took no time, rather than less than none', () => {
  const found = (): { workflow: string; createdAt: number } => ({ workflow: 'w', createdAt: 9000 });
  const metrics = createRecordMetrics(found);
  const records = [
    record('step.started', { path: 'a', attempt: 1, step_type: 'skill' }, 9500),
    record('step.completed', { path: 'a', attempt: 1 }, 5000),
    record('run.ended', { status: 'completed' }, 5000),
  ];
  metrics.count(records);
  assert.match(prometheusText(metrics.families()), /^q_workflow_run_seconds_sum\{workflow="w"\} 0$/m);
  assert.deepEqual(
    createSpanMaker(found)
      .take(records)
      .map(({ startedAt, endedAt }) => [startedAt, endedAt]),
    [
      [9500, 9500],
      [9000, 9000],
    ],
  );
});

test('the gauges say what the status says', () => {
  const text = prometheusText(
    statusMetrics(quietStatus({ instances: { running: 2 }, loop_delay: { p99_ms: 5, max_ms: 7 } }), 4),
  );
  for (const line of [
    'q_workflow_build_info{version="0.1.0",backend="polling"} 1',
    'q_workflow_instances{status="running"} 2',
    'q_workflow_queue_length 4',
    'q_workflow_capacity_cpu_cores 4',
    'q_workflow_loop_delay_seconds{quantile="0.99"} 0.005',
  ])
    assert.ok(text.split('\n').includes(line), line);
});

test('latency is of the last five minutes', () => {
  const clock = { ms: 0 };
  const latency = createLatency(() => clock.ms);
  assert.equal(latency.summary(), null);
  latency.add(1000);
  clock.ms = 299_000;
  for (let number = 1; number <= 99; number += 1) latency.add(number);
  assert.deepEqual(latency.summary(), { p50_ms: 50, p99_ms: 99, samples: 100, window_seconds: 300 });
  clock.ms = 300_001;
  assert.deepEqual(latency.summary(), { p50_ms: 50, p99_ms: 99, samples: 99, window_seconds: 300 });
  for (let number = 0; number < 5000; number += 1) latency.add(7);
  assert.deepEqual(latency.summary(), { p50_ms: 7, p99_ms: 7, samples: 4096, window_seconds: 300 });
  clock.ms = 900_000;
  assert.equal(latency.summary(), null);
});

test('metrics are served to this machine alone', () => {
  const of = (value: string): unknown => metricsAddress({ Q_WORKFLOW_METRICS: value });
  assert.equal(of(''), null);
  assert.deepEqual(of('127.0.0.1:9464'), { host: '127.0.0.1', port: 9464 });
  assert.deepEqual(of('[::1]:0'), { host: '::1', port: 0 });
  for (const wrong of [
    '0.0.0.0:9464',
    '9464',
    'example.org:1',
    '127.0.0.1',
    '127.0.0.1:99999',
    '127.0.0.1.evil:1',
  ])
    assert.throws(() => of(wrong), {
      code: 'USAGE',
      message: `Q_WORKFLOW_METRICS is "${wrong}"; it must be an address of this machine`,
    });
});

test('OpenTelemetry is asked for by its own variables', () => {
  assert.deepEqual(otlpConfig({}), { config: null, problem: null });
  const { config, problem } = otlpConfig({
    OTEL_EXPORTER_OTLP_ENDPOINT: 'https://collector.example:4318/',
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://traces.example/in',
    OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20x, other=100%',
    OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment=test,service.name=ignored',
    OTEL_SERVICE_NAME: 'mine',
    OTEL_METRIC_EXPORT_INTERVAL: '5000',
  });
  assert.equal(problem, null);
  assert.equal(config?.metricsUrl?.href, 'https://collector.example:4318/v1/metrics');
  assert.equal(config?.tracesUrl?.href, 'https://traces.example/in');
  assert.deepEqual(config?.headers, { authorization: 'Bearer x', other: '100%' });
  assert.deepEqual(config?.resource, { 'deployment.environment': 'test', 'service.name': 'mine' });
  assert.deepEqual([config?.intervalMs, config?.timeoutMs], [5000, 10_000]);
});

test('what cannot be done of it is said, and nothing is sent', () => {
  const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318' };
  assert.deepEqual(otlpConfig({ ...endpoint, OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }), {
    config: null,
    problem: 'the OTLP protocol grpc is not spoken here, only http/json',
  });
  assert.deepEqual(otlpConfig({ ...endpoint, OTEL_SDK_DISABLED: 'true' }), { config: null, problem: null });
  assert.equal(otlpConfig({ ...endpoint, OTEL_TRACES_EXPORTER: 'none' }).config?.tracesUrl, null);
  const { problem } = otlpConfig({
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://far.example:4318',
    OTEL_EXPORTER_OTLP_HEADERS: 'authorization=x',
  });
  assert.match(problem ?? '', /^the OTLP endpoint for metrics: a key is only sent by https/);
});

test('the JSON of OTLP: numbers of 64 bits are texts, buckets are not cumulative', () => {
  const histogram = createHistogram('h', 'H.', [1]);
  for (const value of [0.5, 2]) histogram.observe(value);
  const counter = createCounter('c', 'C.');
  counter.add({ a: 'b' });
  const document = metricsJson([histogram.family(), counter.family()], { 'service.name': 's' }, 1, 2);
  const times = { startTimeUnixNano: '1000000', timeUnixNano: '2000000' };
  assert.deepEqual(document, {
    resourceMetrics: [
      {
        resource: { attributes: [{ key: 'service.name', value: { stringValue: 's' } }] },
        scopeMetrics: [
          {
            scope: { name: 'q-workflow' },
            metrics: [
              {
                name: 'h',
                description: 'H.',
                histogram: {
                  aggregationTemporality: 2,
                  dataPoints: [
                    {
                      attributes: [],
                      ...times,
                      count: '2',
                      sum: 2.5,
                      bucketCounts: ['1', '1'],
                      explicitBounds: [1],
                    },
                  ],
                },
              },
              {
                name: 'c',
                description: 'C.',
                sum: {
                  aggregationTemporality: 2,
                  isMonotonic: true,
                  dataPoints: [
                    { attributes: [{ key: 'a', value: { stringValue: 'b' } }], ...times, asDouble: 1 },
                  ],
                },
              },
            ],
          },
        ],
      },
    ],
  });
});

test('a trace is a run with an attempt of a step in each span, without any message', () => {
  const findRun = (): { workflow: string; createdAt: number } => ({ workflow: 'w', createdAt: 10 });
  const maker = createSpanMaker(findRun);
  const error = { code: 'STEP_EXIT', message: 'a secret' };
  const spans = maker.take([
    record('step.started', { path: 'a', attempt: 1, step_type: 'skill' }, 20),
    record('attempt.failed', { path: 'a', attempt: 1, error }, 30),
    record('step.started', { path: 'a', attempt: 2, step_type: 'skill' }, 40),
    record('step.completed', { path: 'a', attempt: 2 }, 50),
    record('step.completed', { path: 'never-started', attempt: 1 }, 51),
    record('run.ended', { status: 'completed' }, 60),
  ]);
  assert.deepEqual(
    spans.map(({ name, startedAt, endedAt, failure }) => [name, startedAt, endedAt, failure]),
    [
      ['step a', 20, 30, 'STEP_EXIT'],
      ['step a', 40, 50, null],
      ['workflow w', 10, 60, null],
    ],
  );
  const [first, second, run] = spans;
  assert.equal(new Set(spans.map(({ traceId }) => traceId)).size, 1);
  assert.equal(new Set(spans.map(({ spanId }) => spanId)).size, 3);
  assert.deepEqual(
    [first?.parentSpanId, second?.parentSpanId, run?.parentSpanId],
    [run?.spanId, run?.spanId, null],
  );
  assert.match(run?.traceId ?? '', /^[0-9a-f]{32}$/);
  assert.match(run?.spanId ?? '', /^[0-9a-f]{16}$/);
  // Another supervisor ends the same run: the same trace.
  const again = createSpanMaker(findRun).take([record('run.ended', { status: 'failed' }, 70)]);
  assert.deepEqual([again[0]?.traceId, again[0]?.failure], [run?.traceId, 'failed']);
  assert.ok(!JSON.stringify(tracesJson(spans, {})).includes('secret'));
});
