import { join } from 'node:path';
import { modelConfig, modelEnvironment } from '../../client/model-environment.ts';
import { ensureWorkflowError } from '../../errors/workflow-error.ts';
import { isTripped } from '../../guard/kill/latch-files.ts';
import type { Caller } from '../../protocol/caller.ts';
import type { Home } from '../../protocol/home.ts';
import type { HealthRow } from './health-row.ts';

/** One real request to a model (null: the default one), and what came of it. Sends none under a tripped global switch. */
export async function modelRow(home: Home, caller: Caller, name: string | null): Promise<HealthRow> {
  const broken = (detail: string, fix: string): HealthRow => ({
    name: 'model',
    state: 'broken',
    detail,
    fix,
  });
  if (isTripped(home.killFolder, 'global'))
    return broken('the kill switch global is tripped: no request is sent', 'q workflow kill status');
  const file = join(caller.configHome, 'q-workflow', 'config.json');
  try {
    const { probeModel } = await import('../../agents/model/probe-model.ts');
    const env = modelEnvironment(caller.configHome);
    const probed = await probeModel(name, modelConfig(caller.configHome), env, home.secretsFolder);
    const { id, provider, ms, text } = probed;
    const tokens = `${probed.tokens.in ?? '?'} tokens in, ${probed.tokens.out ?? '?'} out`;
    return {
      name: 'model',
      state: 'ok',
      detail: `${probed.name} (${id}, ${provider}) answered ${JSON.stringify(text)} in ${ms} ms, ${tokens}`,
      fix: null,
    };
  } catch (error) {
    const known = ensureWorkflowError(error);
    const fix =
      known.code === 'MODEL_NOT_CONFIGURED'
        ? known.hint
        : `check the address, the id and the key of the model in ${file} or the variables Q_WORKFLOW_MODEL…`;
    return broken(`a request failed: ${known.message}`, fix);
  }
}
