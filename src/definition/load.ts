// @ts-nocheck temporary bridge
import { DEFAULT_LIMITS, DEFAULT_RETRY } from './workflow.ts';
export async function loadWorkflow(text, _o) {
  let raw; try { raw = JSON.parse(text); } catch (e) { return { workflow: null, problems: [{severity:'error', path:'$', message: e.message}] }; }
  const ids = new Set(); const walk = (s) => { ids.add(s.id); for (const k of ['steps','then','else']) (s[k]??[]).forEach(walk); }; raw.steps.forEach(walk); (raw.handlers??[]).forEach(walk);
  const val = (v) => {
    if (typeof v === 'string') {
      if (v.includes('${{')) return { kind: 'template', source: v };
      const m = /^([A-Za-z0-9_-]+)((\.[A-Za-z0-9_-]+|\[\d+\])*)$/.exec(v);
      if (m && (ids.has(m[1]) || ((m[1]==='context'||m[1]==='inputs') && m[2]))) {
        const segments = [m[1]]; for (const x of m[2].matchAll(/\.([A-Za-z0-9_-]+)|\[(\d+)\]/g)) segments.push(x[1] ?? Number(x[2]));
        return { kind: 'ref', source: v, segments };
      }
      return { kind: 'literal', value: v };
    }
    if (Array.isArray(v)) return { kind:'array', items: v.map(val) };
    if (v && typeof v === 'object') return { kind: 'object', fields: Object.fromEntries(Object.entries(v).map(([k,x])=>[k,val(x)])) };
    return { kind: 'literal', value: v };
  };
  const href = (h) => typeof h === 'string' ? { id: h, step: (raw.handlers??[]).find(x=>x.id===h) ? step((raw.handlers).find(x=>x.id===h)) : step({id:h,type:'skill',skill:h}) } : { id: h.id, step: step(h) };
  const step = (s) => {
    const base = { id: s.id, type: s.type, description: s.description ?? '', set: s.set ?? {}, writes: s.writes ?? [], undo: s.undo ? href(s.undo) : null, sandbox: null };
    if (s.type==='skill'||s.type==='agent') return { ...base, inputs: Object.fromEntries(Object.entries(s.inputs ?? {}).map(([k,x])=>[k,val(x)])), outputs: s.outputs ?? [], isAsync: s.async ?? s.type==='agent', timeoutMs: s.timeout ? s.timeout*1000 : null, onResume: s.on_resume ?? 'rerun', ...(s.type==='skill'?{skill:s.skill}:{agent:s.agent,guardrails:s.guardrails??{}}) };
    if (s.type==='parallel') return { ...base, steps: s.steps.map(step), waitFor: s.wait_for ?? 'all' };
    if (s.type==='conditional') return { ...base, condition: s.condition, then: (s.then??[]).map(step), else: (s.else??[]).map(step) };
    return { ...base, condition: s.condition, steps: s.steps.map(step), maxIterations: s.max_iterations ?? 100, onLimit: s.on_limit ?? 'fail' };
  };
  const pol = (p) => { if (typeof p === 'string') p = { strategy: p }; const strategy = p.continue_on_error ? 'skip' : p.strategy; return { strategy, retry: strategy==='retry' ? { ...DEFAULT_RETRY, maxAttempts: p.max_attempts??3, backoff: p.backoff??'exponential', initialDelayMs:(p.initial_delay??1)*1000, factor:p.factor??2, maxDelayMs:(p.max_delay??60)*1000, jitter:p.jitter??'full', retryOn:p.retry_on??[] } : null, then: strategy==='retry' ? (p.then??'halt') : strategy, handler: p.custom_handler ? href(p.custom_handler) : null }; };
  const eh = raw.error_handling ?? {}; const rl = raw.resource_limits ?? {};
  return { problems: [], workflow: { name: raw.name, version: raw.version, description: raw.description ?? '', triggers: [], inputs: Object.fromEntries(Object.entries(raw.inputs??{}).map(([k,x])=>[k,{type:x.type??'any',isRequired:x.required??false,default:x.default,description:x.description??''}])), context: { readonly: raw.context?.readonly ?? {}, mutable: raw.context?.mutable ?? {}, access: raw.context?.access ?? {} }, steps: raw.steps.map(step), handlers: (raw.handlers??[]).map(step), errorHandling: { default: pol(eh.default ?? 'halt'), perStep: Object.fromEntries(Object.entries(eh.per_step??{}).map(([k,p])=>[k,pol(p)])), rollback: { isEnabled: eh.rollback?.enabled ?? true, steps: (eh.rollback?.steps ?? []).map(href) } }, limits: { ...DEFAULT_LIMITS, maxMemoryMb: rl.max_memory_mb ?? 512, maxCpuPercent: rl.max_cpu_percent ?? 100, maxExecutionTimeMs: (rl.max_execution_time ?? 3600)*1000, maxConcurrentSteps: rl.max_concurrent_steps ?? 5, maxProcesses: rl.max_processes ?? 256 }, sandbox: null } };
}
