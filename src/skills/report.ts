import type { SkillCatalogue } from './find.ts';
import type { SkillNote, SkillType } from './skill.ts';

/** One line of `q workflow skills`. */
export interface SkillRow {
  readonly name: string;
  readonly type: SkillType;
  readonly description: string;
  /** Null for a built-in. */
  readonly file: string | null;
  readonly isUsable: boolean;
  readonly notes: readonly SkillNote[];
}

/** The catalogue as rows by name, each with the notes of its own file. */
export function skillReport(catalogue: SkillCatalogue): SkillRow[] {
  const byFile = Map.groupBy(catalogue.notes, (note) => note.file);
  return catalogue.list().map((skill) => ({
    name: skill.name,
    type: skill.type,
    description: skill.description,
    file: skill.file,
    isUsable: skill.problems.length === 0,
    notes: skill.file === null ? [] : (byFile.get(skill.file) ?? []),
  }));
}
