import type { AuditBinds } from '../audit/binds.ts';
import { type AuditEntry, eventRecord, SUPERVISOR } from '../audit/record.ts';
import { WorkflowError } from '../errors/workflow-error.ts';
import { waitingCalls } from '../protocol/open-calls.ts';
import type { Answer, Arguments, OperationName } from './operations.ts';
import { performSchedule } from './perform-schedule.ts';
import type { Tables } from './tables/tables.ts';

/** Runs one operation; the switch is exhaustive over the names. */
export function perform(tables: Tables, name: OperationName, raw: unknown): unknown {
  const { audit, events, instances, registrations, latches, schedules, approvals, archive } = tables;
  const { checkpoints, segments, reader } = tables;
  // Requests come only from `store.ts`, whose types tie each name to its arguments.
  const args = <K extends OperationName>(_name: K): Arguments<K> => raw as Arguments<K>;
  switch (name) {
    case 'instance.create': {
      const a = args(name);
      registrations.putDocuments(a.documents);
      instances.create(a);
      appendWithRow(tables, a.instance.id, a.audit);
      if (a.fire !== null) {
        schedules.start(a.fire);
        audit.append(a.fire.audit, { schedule: schedules.state(a.fire.row.workflow) });
      }
      return null;
    }
    case 'instance.launch': {
      const a = args(name);
      instances.launch(a);
      appendWithRow(tables, a.id, a.audit);
      return null;
    }
    case 'instance.process': {
      const a = args(name);
      instances.setProcess(a);
      appendWithRow(tables, a.id, a.audit);
      return null;
    }
    case 'instance.exited': {
      const a = args(name);
      instances.exited(a);
      appendWithRow(tables, a.id, a.audit);
      return null;
    }
    case 'instance.pause': {
      const a = args(name);
      if (instances.pause(a)) appendWithRow(tables, a.id, a.audit);
      return null;
    }
    case 'instance.unpause': {
      const a = args(name);
      if (instances.unpause(a)) appendWithRow(tables, a.id, a.audit);
      return null;
    }
    case 'instance.requeue': {
      const a = args(name);
      if (a.change !== null) registrations.putDocuments(a.change.documents);
      instances.requeue(a);
      approvals.void(a.id, a.at);
      appendWithRow(tables, a.id, a.audit);
      return null;
    }
    case 'journal.append':
      return appendEvents(tables, args(name));
    case 'journal.close':
      return closeJournal(tables, args(name));
    case 'registration.put': {
      const a = args(name);
      registrations.putDocuments(a.documents);
      const made = tables.versions.put(a.row, a.audit.actor.id);
      const data = { ...a.audit.data, number: made.number };
      if (a.schedule === 'has') schedules.put(a.row.name, a.row.registeredAt);
      else schedules.remove(a.row.name, a.row.registeredAt);
      const version = tables.versions.hash(a.row.name, made.number);
      const schedule = schedules.state(a.row.name);
      audit.append({ ...a.audit, data }, { ...registrations.put(a.row), version, schedule });
      return made;
    }
    case 'registration.remove': {
      const a = args(name);
      const removed = registrations.remove(a.name);
      if (removed) {
        schedules.remove(a.name, a.audit.at);
        audit.append(a.audit, { registration: null, schedule: null });
      }
      return { removed };
    }
    case 'approval.decide': {
      const { audit: entry, ...a } = args(name);
      const isDecided = approvals.decide(a);
      if (isDecided) audit.append(entry);
      return { isDecided };
    }
    case 'approval.list':
      return approvals.list(args(name));
    case 'kill.trip': {
      const a = args(name);
      const isNew = latches.trip(a.latch);
      if (isNew) audit.append(a.audit);
      return { isNew, epoch: latches.epoch() };
    }
    case 'kill.rearm': {
      const a = args(name);
      const wasTripped = latches.rearm(a.scope);
      if (wasTripped) audit.append(a.audit);
      return { wasTripped, epoch: latches.epoch() };
    }
    case 'kill.list':
      return { latches: latches.list(), epoch: latches.epoch() };
    case 'audit.append':
      for (const entry of args(name).entries) audit.append(entry);
      return null;
    case 'audit.append_once':
      return appendOnce(tables, args(name));
    case 'audit.checkpoint': {
      const { at } = args(name);
      segments.sealIfDue(at);
      return checkpoints.sign(at);
    }
    case 'audit.prune':
      return tables.prune(args(name));
    case 'audit.erase':
      return erase(tables, args(name));
    case 'audit.set_anchor':
      tables.meta.set('audit_anchor', args(name).file);
      return null;
    case 'instance.get':
      return instances.get(args(name).id);
    case 'instance.find':
      return instances.find(args(name).prefix);
    case 'instance.latest':
      return instances.latest(args(name));
    case 'instance.live':
      return instances.live(args(name));
    case 'instance.summaries':
      return tables.instanceList(args(name));
    case 'journal.unheard': {
      const { id } = args(name);
      return (instances.position(id)?.incarnation ?? 0) - events.lastIncarnation(id);
    }
    case 'journal.read': {
      const a = args(name);
      return events.read(a.id, a.afterSeq);
    }
    case 'document.get':
      return registrations.document(args(name).hash);
    case 'registration.list':
      return registrations.list();
    case 'registration.get':
      return registrations.get(args(name).name);
    case 'version.list':
      return tables.versions.list(args(name).workflow);
    case 'archive.due':
      return archive.due(args(name));
    case 'archive.known':
      return archive.known(args(name).ids);
    case 'archive.read':
      return archive.read(args(name).id);
    case 'archive.events':
      return archive.events(args(name));
    case 'archive.remove':
      return { isRemoved: archive.remove(args(name)) };
    case 'archive.sweep':
      return archive.sweep(args(name));
    case 'archive.put_back':
      archive.putBack(args(name));
      return null;
    case 'audit.head':
      return audit.head();
    case 'audit.about':
      return {
        ...audit.head(),
        publicKey: audit.key.publicKey,
        anchor: tables.meta.get('audit_anchor'),
        checkpoint: checkpoints.newest(),
      };
    case 'audit.checkpoints': {
      const { after, limit } = args(name);
      return checkpoints.after(after, limit);
    }
    case 'audit.read':
      return reader.read(args(name));
    case 'audit.instances':
      return reader.instances(args(name).prefix);
    case 'audit.show':
      return reader.show(args(name).seq);
    case 'audit.last_turn':
      return reader.lastTurn();
    default:
      return performSchedule(schedules, audit, name, raw);
  }
}

/** The record of a change to the row of an instance, tied to the row as it is now. */
function appendWithRow({ audit, instances }: Tables, id: string, entry: AuditEntry): void {
  const row = instances.hashes(id);
  audit.append(entry, row === null ? {} : { row });
}

function erase(tables: Tables, { seq, at, actor }: Arguments<'audit.erase'>): Answer<'audit.erase'> {
  const hash = tables.reader.payloadOf(seq);
  if (hash === null || !tables.reader.erase(hash, at)) return { isErased: false };
  const data = { record: seq, sha256: hash };
  tables.audit.append({ type: 'audit.payload_erased', at, actor, instance: null, data });
  return { isErased: true };
}

function appendOnce(
  { audit, latches }: Tables,
  { batch, entries, latches: tripped }: Arguments<'audit.append_once'>,
): Answer<'audit.append_once'> {
  const isNew = audit.begin(batch);
  if (isNew) {
    for (const entry of entries) audit.append(entry);
    for (const latch of tripped) latches.trip(latch);
  }
  return { isNew };
}

function appendEvents(tables: Tables, args: Arguments<'journal.append'>): Answer<'journal.append'> {
  const at = tables.instances.position(args.id);
  if (at === null || at.incarnation !== args.incarnation)
    throw new WorkflowError('INTERNAL', `incarnation ${args.incarnation} of ${args.id} is fenced`);
  let { lastSeq, journalDigest: digest } = at;
  for (const [index, entry] of args.entries.entries()) {
    // Sent again after a lost ack: it counts once.
    if (entry.seq <= lastSeq) continue;
    if (entry.seq !== lastSeq + 1)
      throw new WorkflowError('INTERNAL', `instance ${args.id} sent event ${entry.seq} after ${lastSeq}`);
    digest = tables.events.insert(args.id, args.incarnation, entry, digest);
    tables.instances.follow(args.id, entry.seq, entry.at, entry.event);
    const record = args.audits[index];
    if (record === undefined) throw new WorkflowError('INTERNAL', `event ${entry.seq} came without a record`);
    tables.audit.append(record, { journal: { seq: entry.seq, digest } });
    lastSeq = entry.seq;
  }
  if (lastSeq > at.lastSeq) tables.instances.setJournal(args.id, digest);
  if (args.approvals !== null) tables.approvals.change(args.id, args.approvals);
  for (const record of args.audits.slice(args.entries.length))
    tables.audit.append(record, askedBinds(tables, args.id, record));
  const end = args.entries.find(({ event }) => event.type === 'run.ended');
  if (end !== undefined) withdraw(tables, args.id, end.at);
  return { lastSeq };
}

/** The record of a question is tied to the row of it. */
function askedBinds({ approvals }: Tables, id: string, { type, data }: AuditEntry): AuditBinds {
  return type === 'approval.requested' ? { approval: approvals.hash(id, Number(data['approval'])) } : {};
}

function closeJournal(tables: Tables, args: Arguments<'journal.close'>): Answer<'journal.close'> {
  const at = tables.instances.position(args.id);
  if (at === null || at.incarnation !== args.incarnation)
    throw new WorkflowError('INTERNAL', `incarnation ${args.incarnation} of ${args.id} is fenced`);
  // The run has its end already: it gets no second one.
  if (at.hasEnded) return { entries: [] };
  const waiting = tables.approvals.list({ instance: args.id, isPendingOnly: false, limit: -1 });
  const events = tables.events.unfinished(args.id, waitingCalls(waiting)).concat(args.events);
  const entries = events.map((event, index) => ({ seq: at.lastSeq + 1 + index, at: args.at, event }));
  let digest = at.journalDigest;
  for (const entry of entries) {
    digest = tables.events.insert(args.id, args.incarnation, entry, digest);
    tables.instances.follow(args.id, entry.seq, entry.at, entry.event);
    const record = eventRecord(args.id, entry.at, entry.event, SUPERVISOR);
    tables.audit.append(record, { journal: { seq: entry.seq, digest } });
  }
  tables.instances.setJournal(args.id, digest);
  withdraw(tables, args.id, args.at);
  return { entries };
}

/** Nobody needs to decide any more. */
function withdraw({ approvals, audit }: Tables, id: string, at: number): void {
  for (const { number, request } of approvals.withdraw(id, at)) {
    const data = { approval: number, path: request.path, what: request.what };
    audit.append({ type: 'approval.withdrawn', at, actor: SUPERVISOR, instance: id, data });
  }
}
