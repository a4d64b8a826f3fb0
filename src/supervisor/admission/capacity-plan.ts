import type { InstanceRow } from '../../store/tables/instance-rows.ts';
import { problemOf, readSection } from '../own-config.ts';
import type { Capacity, Demand } from './capacity.ts';

/** What a machine has. */
export interface Machine {
  readonly memoryBytes: number;
  readonly cores: number;
}

/** Share of the memory that is left to the system and to us. */
const MEMORY_RESERVE = 0.15;
/**
 * Percent of CPU that may be promised for each core. Memory that is promised twice is lost to the OOM killer; CPU that
 * is, is shared by weight, and most runs wait for a model, a network or a person (docs/decisions/0013-capacity.md).
 */
const CPU_PERCENT_PER_CORE = 5000;
/** Starts at once, a core: a start is all CPU, more only slow each other down. */
const STARTS_PER_CORE = 2;

/** What may be promised to instances, by the section `capacity` of the person's configuration. */
export function planCapacity(
  machine: Machine,
  env: NodeJS.ProcessEnv,
): { readonly capacity: Capacity; readonly problem: string | null } {
  const section = readSection(env, 'capacity');
  const reserveMb = section.fields?.positive('memory_reserve_mb') ?? null;
  const cpuPercent = section.fields?.positive('cpu_percent_per_core') ?? CPU_PERCENT_PER_CORE;
  section.fields?.warnUnknown();
  const reserve = reserveMb === null ? machine.memoryBytes * MEMORY_RESERVE : reserveMb * 1024 * 1024;
  if (reserve >= machine.memoryBytes)
    section.notes.error('$.capacity.memory_reserve_mb', 'is all the memory of this machine');
  const problem = problemOf(section);
  const isUsable = problem === null;
  return {
    capacity: {
      memoryBytes: Math.floor(
        machine.memoryBytes - (isUsable ? reserve : machine.memoryBytes * MEMORY_RESERVE),
      ),
      cpuPercent: machine.cores * (isUsable ? cpuPercent : CPU_PERCENT_PER_CORE),
      concurrentStarts: STARTS_PER_CORE * machine.cores,
    },
    problem,
  };
}

/** What an instance asks for. */
export function demandOf({ id, workflow, limits }: InstanceRow): Demand {
  const { memoryBytes, cpuPercent, priority = 0 } = limits;
  return { id, workflow, priority, memoryBytes, cpuPercent };
}
