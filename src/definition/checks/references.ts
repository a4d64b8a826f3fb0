import { didYouMean } from '../../errors/nearest.ts';
import type { Problem } from '../../errors/workflow-error.ts';
import { compileExpression, ExpressionError, type Scope } from '../../expression/expression.ts';
import { compileTemplate } from '../../expression/template.ts';
import { inputsOf } from '../file.ts';
import { inputValue, parseReference, type Segments } from '../input-value.ts';
import { append, quoted } from '../json-path.ts';
import type { Listed, Roster } from '../roster.ts';
import { suggest } from '../suggest.ts';
import type { Json } from '../workflow.ts';
import { type ReferencePlace, refusalOf } from './order.ts';
import { errorAt, unknownName, warningAt } from './problem.ts';

/** Expressions, templates and references of every step: they compile, and name what can have run before. */
export function checkReferences(roster: Roster, scope: Scope): readonly Problem[] {
  return roster.all.flatMap((listed) => new StepReferences(listed, roster, scope).check());
}

class StepReferences {
  readonly #problems: Problem[] = [];
  readonly #listed: Listed;
  readonly #roster: Roster;
  readonly #scope: Scope;

  constructor(listed: Listed, roster: Roster, scope: Scope) {
    this.#listed = listed;
    this.#roster = roster;
    const isHandler = listed.handler !== null;
    const isInLoop = listed.trail.some(({ owner }) => owner?.step.type === 'loop');
    const { areHandlersOpen, areStepsOpen } = roster.gaps;
    const hasError = isHandler || areHandlersOpen || areStepsOpen;
    this.#scope = { ...scope, hasError, hasIteration: hasError || isInLoop };
  }

  check(): readonly Problem[] {
    const { step, path } = this.#listed;
    if (step.type === 'conditional') this.#expression(step.condition, append(path, 'condition'), 'condition');
    if (step.type === 'loop') {
      const scope = { ...this.#scope, hasIteration: true };
      this.#expression(step.condition, append(path, 'condition'), 'condition', scope);
    }
    for (const [name, source] of Object.entries(step.set ?? {})) {
      this.#expression(source, append(append(path, 'set'), name), 'set');
    }
    for (const [name, value] of Object.entries(inputsOf(step) ?? {})) {
      const isMessage = step.type === 'approval' && name === 'message';
      this.#input(value, append(isMessage ? path : append(path, 'inputs'), name));
    }
    return this.#problems;
  }

  #expression(source: string, path: string, place: ReferencePlace, scope = this.#scope): void {
    this.#compiled(path, () => {
      const expression = compileExpression(source, scope);
      this.#names(expression.references, path, place);
      if (place === 'condition') expression.assertCondition();
    });
  }

  #compiled(path: string, action: () => void): void {
    try {
      action();
    } catch (error) {
      if (!(error instanceof ExpressionError)) throw error;
      this.#problems.push(errorAt(path, error.locatedMessage, error.suggestion));
    }
  }

  #names(names: readonly string[], path: string, place: ReferencePlace): void {
    for (const name of names) {
      if (!this.#scope.stepIds.has(name) || this.#scope.names?.has(name) === true) continue;
      this.#target(name, path, place);
    }
  }

  #target(id: string, path: string, place: ReferencePlace, note = ''): void {
    const refusal = refusalOf(this.#listed, id, place, this.#roster);
    if (refusal !== null) this.#problems.push(errorAt(path, `${refusal}${note}`));
  }

  #input(value: Json, path: string): void {
    const form = inputValue(value, {
      stepIds: this.#scope.stepIds,
      isHandler: this.#listed.handler !== null,
    });
    switch (form.kind) {
      case 'literal':
        if (typeof value === 'string') this.#nearMiss(value, path);
        else if (isMisshapen(value)) {
          const message = 'ref and secret take a string; an object of that form is written {"literal": {…}}';
          this.#problems.push(errorAt(path, message));
        } else if (isContainer(value) && form.value === value) this.#children(value, path);
        return;
      case 'template':
        this.#compiled(path, () =>
          this.#names(compileTemplate(form.source, this.#scope).references, path, 'inputs'),
        );
        return;
      case 'ref':
        this.#reference(
          form.source,
          form.segments,
          path,
          value === form.segments[0] ? literalNote(form.source) : '',
        );
        return;
      case 'secret':
        if (!/^[A-Za-z_][A-Za-z0-9_.-]{0,127}$/.test(form.name)) {
          const message = `"${form.name.slice(0, 40)}" cannot be the name of a secret: letters, digits, _ . and -`;
          this.#problems.push(errorAt(append(path, 'secret'), message));
        }
        return;
      case 'array':
      case 'object':
        if (isContainer(value)) this.#children(value, path);
    }
  }

  #children(value: Json[] | { [key: string]: Json }, path: string): void {
    if (Array.isArray(value)) {
      for (const [index, item] of value.entries()) this.#input(item, append(path, index));
    } else {
      for (const [key, item] of Object.entries(value)) this.#input(item, append(path, key));
    }
  }

  #reference(source: string, segments: Segments, path: string, note: string): void {
    const [root, ...rest] = segments;
    if (typeof root !== 'string') {
      this.#problems.push(
        errorAt(path, `"${source}" is not a reference; one looks like fetch-data.items[0].name`),
      );
    } else if (root === 'context') this.#contextReference(rest, source, path);
    else if (root === 'inputs') this.#known('inputs', rest[0], this.#scope.inputs, source, path);
    else if (root === 'error') {
      if (this.#scope.hasError === false) {
        this.#problems.push(errorAt(path, `"${source}": "error" is known only in error handlers`));
      }
    } else if (this.#scope.stepIds.has(root)) this.#target(root, path, 'inputs', note);
    else if (!this.#roster.gaps.areStepsOpen) {
      const known = [...this.#scope.stepIds, 'context', 'inputs'];
      this.#problems.push(unknownName(path, `"${source}" refers to no known step`, root, known));
    }
  }

  #contextReference(rest: Segments, source: string, path: string): void {
    const { mutable = new Set(), readonly = new Set() } = this.#scope;
    const [first, second] = rest;
    if (first === 'mutable') this.#known('context.mutable', second, mutable, source, path);
    else if (first === 'readonly') this.#known('context.readonly', second, readonly, source, path);
    else this.#known('context', first, new Set([...mutable, ...readonly]), source, path);
  }

  #known(
    root: string,
    name: string | number | undefined,
    known: ReadonlySet<string> = new Set(),
    source: string,
    path: string,
  ): void {
    if (name === undefined || known.has(String(name)) || this.#roster.gaps.areNamesOpen) return;
    const message = `"${source}": ${root} has no "${name}" (write {"literal": …} if it is no reference)`;
    this.#problems.push(unknownName(path, message, String(name), known));
  }

  #nearMiss(text: string, path: string): void {
    const segments = parseReference(text);
    const [root, second] = segments ?? [];
    if (typeof root !== 'string' || second === undefined || this.#roster.gaps.areStepsOpen) return;
    const suggestion = suggest(root, this.#scope.stepIds);
    if (suggestion === undefined) return;
    const message = `"${text}" is taken as text; there is no step "${root}"${didYouMean(suggestion)}`;
    this.#problems.push(warningAt(path, message, suggestion));
  }
}

/** A whole text that is the id of a step may only happen to be one. */
function literalNote(text: string): string {
  return ` (write {"literal": ${quoted(text)}} if it is no reference)`;
}

/** True for `{"ref": 5}`: one of the explicit forms, but not with a string. */
function isMisshapen(value: Json): boolean {
  if (!isContainer(value) || Array.isArray(value)) return false;
  const [key, ...more] = Object.keys(value);
  return more.length === 0 && (key === 'ref' || key === 'secret') && typeof value[key] !== 'string';
}

function isContainer(value: Json): value is Json[] | { [key: string]: Json } {
  return typeof value === 'object' && value !== null;
}
