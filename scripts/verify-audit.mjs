/**
 * usage: node verify-audit.mjs DATABASE [--anchor FILE] [--key ed25519:…] [--seal-key FILE] [--from SEQ] [--json]
 *
 * Checks the audit log of q workflow without any code of it: plain Node (22.5 or later), node:sqlite and node:crypto.
 * Changes nothing. Exit status: 0 intact, 2 tampered, 3 cannot tell (no anchor), 1 wrong usage. What is checked, and
 * the formats, are described in docs/audit.md; this file is written after that page, not after the program.
 */
import { createHash, createPrivateKey, createPublicKey, hkdfSync, verify } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { parseArgs } from 'node:util';

/** What is wrong with records comes first, then what vouches for them, then state. */
const VOUCHING = /^(checkpoint|segment|anchor)_/;
const STATE = /^(journal|state|document|payload)_mismatch$/;
const rankOf = ({ kind, seq }) => {
  if (kind.startsWith('trigger_')) return 4;
  if (seq === null) return 3;
  return STATE.test(kind) ? 2 : VOUCHING.test(kind) ? 1 : 0;
};
/** When each looks, and the words that it refuses by. */
const TRIGGERS = {
  audit_no_update: ['UPDATE ON audit', 'audit rows are never changed'],
  audit_no_delete: ['DELETE ON audit', 'audit rows are never deleted'],
  audit_append_only: [
    'INSERT ON audit WHEN new.seq <= (SELECT max(seq) FROM audit)',
    'audit rows are only appended',
  ],
  events_no_update: ['UPDATE ON events', 'journal events are never changed'],
  events_no_delete: ['DELETE ON events', 'journal events are never deleted'],
  events_append_only: [
    'INSERT ON events WHEN EXISTS (SELECT 1 FROM events WHERE instance = new.instance AND seq = new.seq)',
    'journal events are never replaced',
  ],
  audit_checkpoints_no_update: ['UPDATE ON audit_checkpoints', 'checkpoints are never changed'],
  audit_checkpoints_no_delete: ['DELETE ON audit_checkpoints', 'checkpoints are never deleted'],
  audit_checkpoints_append_only: [
    'INSERT ON audit_checkpoints WHEN new.number <= (SELECT max(number) FROM audit_checkpoints)',
    'checkpoints are only appended',
  ],
  audit_segments_no_update: ['UPDATE ON audit_segments', 'segments are never changed'],
  audit_segments_no_delete: ['DELETE ON audit_segments', 'segments are never deleted'],
  audit_segments_append_only: [
    'INSERT ON audit_segments WHEN new.number <= (SELECT max(number) FROM audit_segments)',
    'segments are only appended',
  ],
  audit_payloads_erase_only: [
    'UPDATE ON audit_payloads WHEN new.hash IS NOT old.hash OR new.body IS NOT NULL OR old.erased_at IS NOT NULL OR new.erased_at IS NULL',
    'payloads are only erased',
  ],
};
/** Of a table that older databases do not have. */
const VERSION_TRIGGERS = {
  versions_no_update: ['UPDATE ON versions', 'versions are never changed'],
  versions_no_delete: ['DELETE ON versions', 'versions are never deleted'],
};
/** The newest schema of which all triggers are known here. */
const KNOWN_SCHEMA = 9;
/** Where documents are named by their hash. */
const DOCUMENT_COLUMNS = [
  ['instances', 'definition_hash'],
  ['instances', 'pins_hash'],
  ['registrations', 'definition_hash'],
  ['versions', 'definition_hash'],
];
const FIXED =
  'id workflow version definition_hash pins_hash source workspace inputs context env limits created_at started_at incarnation token_hash process scope isolation usage active_ms active_since resume_from notice approvals';
const MOVING = 'status reason error ended_at fruitless wake_at last_seq paused_at paused_by journal_digest';
const REGISTRATION = 'name version definition_hash source registered_at';
const VERSION = 'workflow number definition_hash version source registered_at registered_by';
const APPROVAL = 'instance number subject args_hash request requested_at expires_at';
const FIRES = {
  'schedule.fired': ['started'],
  'schedule.skipped': ['skipped'],
  'schedule.queued': ['queued', 'replacing'],
  'schedule.refused': ['refused'],
  'schedule.failed': ['failed'],
};
const STATUS = {
  'run.started': 'running',
  'run.resumed': 'running',
  'run.stopping': 'stopping',
  'rollback.started': 'rolling_back',
  'run.waiting': 'waiting',
};

/** What changes of a row make of its status. */
const CHANGES = {
  'instance.created': 'queued',
  'instance.launched': 'initializing',
  'instance.resume_requested': 'queued',
};

const sha256 = (text) => createHash('sha256').update(text).digest('hex');

/** RFC 8785. */
function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const names = Object.keys(value).sort();
  return `{${names.map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`).join(',')}}`;
}

const rowHash = (row, columns) =>
  sha256(
    canonical(
      Object.fromEntries(
        columns
          .split(' ')
          .filter((name) => row[name] !== null)
          .map((name) => [name, row[name]]),
      ),
    ),
  );

const journalDigest = (previous, event) =>
  sha256(`${previous}\n${event.seq}\n${event.incarnation}\n${event.at}\n${event.body}`);
const emptyJournal = (instance) => sha256(`q-workflow journal ${instance}`);
const genesis = (log) => sha256(`q-workflow audit log ${log}`);

function parse(text) {
  try {
    const value = JSON.parse(text);
    return typeof value === 'object' ? value : null;
  } catch {
    return null;
  }
}

function isSigned(key, text, signature) {
  try {
    const jwk = { kty: 'OKP', crv: 'Ed25519', x: String(key).replace(/^ed25519:/, '') };
    const publicKey = createPublicKey({ key: jwk, format: 'jwk' });
    const bytes = Buffer.from(signature, 'base64url');
    // The decoder passes over what is no base64url.
    return bytes.toString('base64url') === signature && verify(null, Buffer.from(text), publicKey, bytes);
  } catch {
    return false;
  }
}

/** The key that seals records, of a private key file; it is needed only to name the first forged record. */
function sealer(file) {
  const { x, d } = createPrivateKey(readFileSync(file)).export({ format: 'jwk' });
  const seed = Buffer.from(d, 'base64url');
  const key = Buffer.from(hkdfSync('sha256', seed, '', 'q-workflow audit seal', 32)).toString('hex');
  const seal = (hash) => sha256(key + hash + key).slice(0, 32);
  return { publicKey: `ed25519:${x}`, seal };
}

/** An integer beyond what a number can hold comes as its digits: node:sqlite throws there, and none of ours is. */
function plain(row) {
  for (const [name, value] of Object.entries(row ?? {}))
    if (typeof value === 'bigint')
      row[name] = Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  return row;
}

/** A database of which rows are read as they are, whatever somebody put into them. */
function openRows(file) {
  const database = new DatabaseSync(file, { readOnly: true });
  return {
    begin: () => database.exec('BEGIN'),
    prepare: (sql) => {
      const statement = database.prepare(sql);
      statement.setReadBigInts(true);
      return {
        get: (...given) => plain(statement.get(...given)),
        all: (...given) => statement.all(...given).map(plain),
        *iterate(...given) {
          for (const row of statement.iterate(...given)) yield plain(row);
        },
      };
    },
  };
}

class Check {
  constructor(database, options) {
    this.db = database;
    this.options = options;
    this.problems = [];
    this.doubts = [];
    this.folds = new Map();
    this.returned = new Map();
    this.registrations = new Map();
    this.erased = new Set();
    this.payloads = new Map();
    this.own = [];
    this.hasLostHeads = false;
    this.told = { approvals: new Map(), latches: new Map(), untold: new Set(), isWhole: true };
    this.starters = new Map();
    this.versions = new Map();
    this.schedules = new Map();
    this.fires = new Map();
    this.firesFrom = Number.NEGATIVE_INFINITY;
    /** Names of which records of an older version speak, and whether all records are known: the others say it all. */
    this.older = new Set();
    this.isWhole = true;
  }

  bad(kind, seq, message, through) {
    // Also what has a number below the first one is judged, unless somebody wants only a part.
    if (seq !== null && this.options.from > 1 && (through ?? seq) < this.options.from) return;
    const cut = kind === 'truncated' ? this.problems.find((problem) => problem.kind === kind) : undefined;
    if (cut !== undefined) cut.through = Math.max(cut.through, through);
    else this.problems.push({ kind, seq, ...(through === undefined ? {} : { through }), message });
  }

  hasIn(first, last) {
    return this.problems.some((problem) => {
      const { seq } = problem;
      return seq !== null && seq >= first && seq <= last && rankOf(problem) === 0;
    });
  }

  one(sql, ...given) {
    return this.db.prepare(sql).get(...given);
  }

  meta(name) {
    return this.one('SELECT value FROM meta WHERE key = ?', name)?.value ?? null;
  }

  hashOf(seq) {
    return this.one('SELECT hash FROM audit WHERE seq = ?', seq)?.hash ?? null;
  }

  run() {
    // Before the database is read: what the anchor has now must be there. What comes after it may be newer.
    const early = this.anchorText();
    this.db.begin();
    this.log = this.meta('audit_log');
    if (this.log === null) throw new Error('it names no audit log');
    const { first, last } = this.one('SELECT min(seq) AS first, max(seq) AS last FROM audit');
    this.first = Number(first ?? 0);
    this.last = Number(last ?? 0);
    this.seen = Math.max(0, ...(this.readAnchor(early)?.checkpoints.map(({ body }) => body.number) ?? []));
    this.anchor = this.readAnchor(this.anchorText());
    this.trusted = this.options.key ?? this.anchor?.keys[0] ?? this.meta('audit_key');
    const table = this.one("SELECT 1 FROM sqlite_schema WHERE name = 'audit_checkpoints'");
    if (table === undefined && this.meta('audit_key') === null) {
      if ((this.anchor?.checkpoints.length ?? 0) === 0)
        this.doubts.push('the database is of a version without checkpoints');
      else
        this.bad('checkpoint_missing', 1, 'the checkpoints that the anchor has are gone from the database');
      return;
    }
    const low = this.one('SELECT min(seq) AS seq FROM audit WHERE seq < 1').seq;
    if (low !== null) this.bad('inserted', low, `record ${low} has a number that no record gets`);
    this.checkTriggers();
    const start = this.readSegments();
    this.checkTiedJournals(null);
    this.readRecords(start);
    this.checkTiedJournals(null, this.returned);
    this.checkSegments();
    this.checkCheckpoints();
    this.checkAnchor();
    if (!this.hasLostHeads) this.checkState();
    for (const { type, seq, data } of this.own)
      if (type === 'audit.anchor_fault' && seq >= this.options.from)
        this.doubts.push(`the anchor was ${data.fault} when record ${seq} was written`);
  }

  /** Each is word for word what the program makes, and there is no other. */
  checkTriggers() {
    const triggers = { ...TRIGGERS, ...(this.has('versions') ? VERSION_TRIGGERS : {}) };
    const made = new Map();
    for (const { name, sql } of this.db
      .prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'")
      .iterate())
      made.set(name, String(sql).replaceAll(/\s+/g, ' '));
    for (const [name, [when, words]] of Object.entries(triggers)) {
      const sql = `CREATE TRIGGER ${name} BEFORE ${when} BEGIN SELECT RAISE(ABORT, '${words}'); END`;
      if (made.get(name) !== sql) this.bad('trigger_missing', null, `the trigger ${name} was taken away`);
      made.delete(name);
    }
    if (this.one('PRAGMA user_version').user_version > KNOWN_SCHEMA) return;
    for (const name of made.keys())
      this.bad('trigger_added', null, `the trigger ${name} is none of the program`);
  }

  readSegments() {
    this.segments = [];
    // The first one that pruning left.
    this.checkpointsFrom = 1;
    let previous = null;
    for (const row of this.db.prepare('SELECT * FROM audit_segments ORDER BY number').all()) {
      const body = parse(row.body);
      const before = this.segments.at(-1);
      const isNext =
        body?.v === 1 &&
        body.log === this.log &&
        body.number === (before?.number ?? 0) + 1 &&
        body.previous === previous &&
        body.first === (before?.last ?? 0) + 1 &&
        body.before === (before?.hash ?? genesis(this.log)) &&
        row.number === body.number &&
        row.first === body.first &&
        row.last === body.last;
      if (!isNext || !isSigned(body.key, row.body, row.signature)) {
        this.bad('segment_edited', Number(row.first), `segment ${row.number} is not the one that was sealed`);
        break;
      }
      this.segments.push(body);
      previous = sha256(row.body);
    }
    if (this.first <= 1) return genesis(this.log);
    this.readHeads();
    const end = this.segments.find(({ last }) => last === this.first - 1);
    if (end === undefined && !this.problems.some(({ kind }) => kind === 'segment_edited'))
      this.lost('no sealed segment ends there');
    return end?.hash ?? null;
  }

  readHeads() {
    const pruned = this.one(
      "SELECT seq, body FROM audit WHERE type = 'audit.pruned' ORDER BY seq DESC LIMIT 1",
    );
    const data = parse(pruned?.body ?? '')?.data;
    const heads = this.one('SELECT body FROM audit_heads WHERE last = ?', this.first - 1)?.body ?? '';
    if (data?.last !== this.first - 1) this.lost('no record says that they were pruned');
    else {
      this.checkpointsFrom = data.checkpoints_from ?? 1;
      if (sha256(heads) === data.heads) {
        this.load(parse(heads));
        return;
      }
      this.bad('state_mismatch', pruned.seq, 'what pruned records said of the tables was changed');
    }
    this.hasLostHeads = true;
  }

  lost(why) {
    this.bad('missing', 1, `records 1 to ${this.first - 1} are missing, and ${why}`, this.first - 1);
  }

  load(heads) {
    for (const [id, fold] of Object.entries(heads.instances)) this.folds.set(id, { ...fold });
    for (const [name, hash] of Object.entries(heads.registrations)) this.registrations.set(name, hash);
    for (const hash of heads.erased) this.erased.add(hash);
    const { told, workflows } = heads;
    this.isWhole &&= workflows !== undefined && workflows !== null;
    for (const kind of ['starters', 'versions', 'schedules'])
      for (const [name, value] of Object.entries(workflows?.[kind] ?? {})) this[kind].set(name, value);
    for (const name of workflows?.older ?? []) this.older.add(name);
    if (told === undefined || told === null) {
      this.told.isWhole = false;
      return;
    }
    for (const [key, approval] of Object.entries(told.approvals)) this.told.approvals.set(key, approval);
    for (const [scope, latch] of Object.entries(told.latches)) this.told.latches.set(scope, latch);
    for (const instance of told.untold) this.told.untold.add(instance);
  }

  /** Instances of which the last word is that they were archived: their events are not here. */
  archived() {
    const found = new Set();
    const kinds = "type IN ('instance.archived', 'instance.unarchived')";
    for (const { instance, type } of this.db
      .prepare(`SELECT instance, type FROM audit WHERE ${kinds} ORDER BY seq`)
      .iterate())
      if (type === 'instance.archived') found.add(instance);
      else found.delete(instance);
    return found;
  }

  checkTiedJournals(seq, folds = this.folds) {
    const archived = this.archived();
    const events = this.db.prepare('SELECT * FROM events WHERE instance = ? AND seq <= ? ORDER BY seq');
    for (const [id, { journal }] of folds) {
      if (journal === null || archived.has(id)) continue;
      let digest = emptyJournal(id);
      for (const event of events.iterate(id, journal.seq)) digest = journalDigest(digest, event);
      if (digest !== journal.digest)
        this.bad('journal_mismatch', seq, `the journal of instance ${id} is not what its records said`);
    }
  }

  readRecords(start) {
    // From the last change on the new key seals; seals before it are of one that is no longer there.
    const change = this.one(
      "SELECT seq, body FROM audit WHERE type = 'audit.key_replaced' ORDER BY seq DESC LIMIT 1",
    );
    const sealsFrom = Number(change?.seq ?? 0);
    const found = this.sealKey();
    const isSealing = change === undefined || String(parse(change.body)?.data?.new) === found?.publicKey;
    const key = isSealing ? found : null;
    this.sealedBy = key?.publicKey ?? null;
    let hash = start;
    let next = Math.max(1, this.first);
    let version = 0;
    let wasBad = false;
    for (const row of this.db.prepare('SELECT * FROM audit ORDER BY seq').iterate()) {
      const seq = Number(row.seq);
      if (seq > next) {
        this.bad(
          'missing',
          next,
          `records ${next} to ${seq - 1} are missing`,
          seq - 1 > next ? seq - 1 : undefined,
        );
        hash = null;
      }
      next = seq + 1;
      const body = parse(row.body);
      const fits = hash === null || sha256(hash + row.body) === row.hash;
      const isSealed =
        key === null || (body?.v ?? 2) < 2 || seq < sealsFrom || key.seal(row.hash) === row.seal;
      hash = row.hash;
      const isExcused = wasBad;
      wasBad = false;
      const bad = (kind, message) => {
        this.bad(kind, seq, message);
        wasBad = true;
      };
      if (typeof body?.type !== 'string' || typeof body.seq !== 'number' || !body.data) {
        bad('edited', `record ${seq} is no record`);
        continue;
      }
      if (body.v !== 1 && body.v !== 2) {
        bad('unknown_version', `record ${seq} has the unknown version ${body.v}`);
        continue;
      }
      const isColumn = row.type === body.type && row.at === body.at && row.instance === body.instance;
      if (body.log !== this.log || body.v < version) bad('inserted', `record ${seq} is not of here`);
      else if (body.seq !== seq) {
        const other = this.one(
          "SELECT CASE WHEN json_valid(body) THEN json_extract(body, '$.seq') END AS seq FROM audit WHERE seq = ?",
          body.seq,
        );
        const isCopy = body.seq < seq || other?.seq === body.seq;
        const kind = other?.seq === seq ? 'swapped' : isCopy ? 'inserted' : 'missing';
        bad(kind, `record ${body.seq} stands in the place of record ${seq}`);
      } else if (!isColumn) bad('edited', `the columns of record ${seq} are not what its text says`);
      else if (!fits) {
        if (!isExcused || !isSealed) bad('edited', `the hash of record ${seq} does not fit`);
      } else if (!isSealed) bad('forged', `the hash of record ${seq} fits, its seal does not`);
      version = Math.max(version, body.v);
      try {
        this.checkEvent(body);
        this.fold(body);
        if (body.type === 'audit.upgraded') this.checkTiedJournals(seq);
      } catch (error) {
        if (!(error instanceof TypeError)) throw error;
        bad('edited', `record ${seq} is not of the form of its kind`);
      }
    }
  }

  sealKey() {
    if (this.options.sealKey === null || !existsSync(this.options.sealKey)) return null;
    let key = null;
    try {
      key = sealer(this.options.sealKey);
    } catch {
      // No private key: seals are not checked then.
      return null;
    }
    return key.publicKey === this.trusted || key.publicKey === this.meta('audit_key') ? key : null;
  }

  checkEvent({ seq, instance, binds }) {
    const tied = binds?.journal;
    if (tied === undefined || instance === null) return;
    const known = this.folds.get(instance)?.journal ?? null;
    const event = this.one('SELECT * FROM events WHERE instance = ? AND seq = ?', instance, tied.seq);
    const name = `event ${tied.seq} of instance ${instance}`;
    this.gone ??= this.archived();
    if (event === undefined && this.gone.has(instance)) return;
    if (event === undefined) this.bad('journal_mismatch', seq, `${name} is gone`);
    else if ((known?.seq ?? 0) === tied.seq - 1)
      if (journalDigest(known?.digest ?? emptyJournal(instance), event) !== tied.digest)
        this.bad('journal_mismatch', seq, `${name} is not the one that record ${seq} speaks of`);
  }

  /** What records say of approvals and kill switches. */
  tell({ seq, type, at, instance, data, actor, binds }) {
    const { approvals, latches, untold } = this.told;
    if (type === 'kill.tripped' || type === 'kill.rearmed') {
      const known = latches.get(data.scope) ?? { trips: [], isTripped: false };
      latches.set(data.scope, Object.assign(known, { record: seq }));
      if (type === 'kill.rearmed') known.isTripped = false;
      else {
        known.trips.push([data.mode, data.reason, data.by, at]);
        // A spooled one is held by its file until the next start.
        if (data.spooled !== true) known.isTripped = true;
      }
    }
    if (instance === null) return;
    if (type.startsWith('approval.')) {
      const key = `${instance} ${data.approval}`;
      const unknown = { argsHash: null, asked: null, isVoid: false, expiresAt: null, ends: [] };
      const known = approvals.get(key) ?? unknown;
      approvals.set(key, Object.assign(known, { record: seq }));
      const status = { granted: 'approved', denied: 'denied', expired: 'expired', withdrawn: 'withdrawn' }[
        type.slice('approval.'.length)
      ];
      const isOfPerson = status === 'approved' || status === 'denied';
      if (type === 'approval.requested')
        Object.assign(known, {
          argsHash: data.args_hash,
          expiresAt: data.expires_at,
          asked: binds?.approval ?? null,
        });
      else if (status !== undefined) {
        const by = isOfPerson ? `${actor?.kind} ${actor?.id}` : null;
        known.ends.push({ status, by, at, reason: isOfPerson ? (data.reason ?? null) : null });
      }
    }
    if (type === 'instance.resume_requested')
      for (const [key, approval] of approvals) if (key.startsWith(`${instance} `)) approval.isVoid = true;
    if (type === 'instance.archived')
      for (const key of [...approvals.keys()]) if (key.startsWith(`${instance} `)) approvals.delete(key);
    if (type === 'instance.unarchived') untold.add(instance);
  }

  /** What records say of registered workflows: who they start as, kept versions, schedules, fires. */
  tellWorkflow({ seq, type, at, instance, data, binds }) {
    if (type === 'schedule.fires_pruned') this.firesFrom = Math.max(this.firesFrom, data.before);
    if (type === 'clock.jumped')
      for (const state of this.schedules.values())
        if (state !== null) state.decided_to = Math.min(state.decided_to, at);
    const name = data.workflow;
    const isRegistration = type === 'workflow.registered' || type === 'workflow.unregistered';
    if (!isRegistration && (!type.startsWith('schedule.') || type === 'schedule.fires_pruned')) return;
    const schedule = binds?.schedule;
    if (schedule !== undefined) this.schedules.set(name, schedule);
    else {
      this.older.add(name);
      this.schedules.delete(name);
    }
    if (isRegistration) {
      if (binds?.starter === undefined) this.starters.delete(name);
      else this.starters.set(name, binds.starter);
      if (binds?.version !== undefined) this.versions.set(`${data.number} ${name}`, binds.version);
      if (schedule === undefined || schedule === null)
        for (const fire of this.fires.get(name)?.values() ?? [])
          if (fire.statuses.includes('queued') && fire.dropped !== 'yes')
            fire.dropped = schedule === null ? 'yes' : 'maybe';
    }
    const statuses = FIRES[type];
    if (statuses === undefined) return;
    const fires = this.fires.get(name) ?? new Map();
    this.fires.set(name, fires);
    const fire = { statuses, instance, reason: data.reason ?? null, decidedAt: at, seq, dropped: 'no' };
    fires.set(Date.parse(data.fire), fire);
  }

  /** What the records so far say that the tables must hold. */
  fold(body) {
    this.tell(body);
    this.tellWorkflow(body);
    const { seq, type, at, instance, data, binds, actor } = body;
    if (type.startsWith('audit.')) this.own.push({ seq, type, data });
    if (type === 'audit.payload_erased') this.erased.add(data.sha256);
    if (type === 'audit.upgraded') this.load(data.heads);
    if (binds?.payload !== undefined) this.payloads.set(binds.payload.sha256, seq);
    if (binds?.registration !== undefined) this.registrations.set(data.workflow, binds.registration);
    if (instance === null) return;
    const unknown = { journal: null, row: null, status: null, end: null, hasMoved: false };
    if (type === 'instance.archived') {
      this.folds.set(instance, { ...unknown, isArchived: true, record: seq });
      return;
    }
    const fold = this.folds.get(instance) ?? unknown;
    this.folds.set(instance, fold);
    if (type === 'instance.unarchived') fold.isArchived = false;
    if (binds?.row !== undefined) {
      Object.assign(fold, { row: binds.row, hasMoved: false, record: seq });
      const status = CHANGES[type];
      if (status !== undefined) Object.assign(fold, { status, end: null });
      if (type === 'instance.created' || type === 'instance.unpaused') fold.paused = null;
      if (type === 'instance.paused')
        fold.paused = { at, by: actor.kind === 'supervisor' ? actor.kind : `${actor.kind} ${actor.id}` };
    }
    if (binds?.journal === undefined) return;
    const hasReturned = type === 'instance.unarchived';
    Object.assign(fold, { journal: binds.journal, hasMoved: !hasReturned, record: seq });
    if (hasReturned) this.returned.set(instance, { journal: binds.journal });
    fold.status = STATUS[type] ?? fold.status;
    if (type !== 'run.ended') return;
    const end = { reason: data.reason, at, error: sha256(canonical(data.error ?? null)) };
    Object.assign(fold, { status: data.status, end, paused: null });
  }

  checkSegments() {
    for (const { number, first, last, hash } of this.segments)
      if (last > this.last) this.truncated(last);
      else if (last >= this.first && this.hashOf(last) !== hash)
        this.rewritten(first - 1, last, `segment ${number}`);
    for (const { type, seq, data } of this.own) {
      if (type !== 'audit.sealed' && type !== 'audit.pruned') continue;
      const row = this.one('SELECT body FROM audit_segments WHERE number = ?', data.segment);
      if (row === undefined || sha256(row.body) !== data.digest)
        this.bad('segment_edited', seq, `segment ${data.segment} is not that of record ${seq}`);
    }
  }

  truncated(seq) {
    this.bad('truncated', this.last + 1, `the log ends at record ${this.last}, its end was cut off`, seq);
  }

  rewritten(good, seq, by) {
    if (this.hasIn(good + 1, seq)) return;
    this.bad('rewritten', good + 1, `records ${good + 1} to ${seq} are not those of ${by}`, seq);
  }

  checkCheckpoints() {
    const from = this.checkpointsFrom;
    let previous = null;
    let number = from - 1;
    let good = 0;
    let untrusted = null;
    const isNext = (body) => body.previous === previous || (from > 1 && number < from);
    for (const row of this.db.prepare('SELECT * FROM audit_checkpoints ORDER BY number').iterate()) {
      const seq = Number(row.seq);
      const body = parse(row.body);
      const isOurs = body?.v === 1 && body.log === this.log && body.seq === seq && body.number === number + 1;
      if (row.number !== number + 1)
        this.bad('checkpoint_missing', seq, `a checkpoint is missing before number ${row.number}`);
      else if (!isOurs || !isSigned(body.key, row.body, row.signature) || !isNext(body))
        this.bad('checkpoint_edited', seq, `checkpoint ${row.number} is not the one that was signed`);
      else if (seq > this.last) this.truncated(seq);
      else if (seq >= this.first && this.hashOf(seq) !== body.hash)
        this.rewritten(good, seq, `checkpoint ${number + 1}`);
      else {
        if (body.key !== this.trusted) untrusted ??= good + 1;
        good = seq;
      }
      number = Number(row.number);
      previous = sha256(row.body);
    }
    this.checkpoints = number;
    // Anybody can go on with a chain of hashes; the seals tell who did.
    if (good < this.last && this.sealedBy !== this.trusted)
      this.doubts.push(
        `records after ${good} are not signed yet, and ${this.sealedBy === null ? 'their seals cannot be checked without the key' : 'are sealed by an unknown key'}`,
      );
    if (untrusted !== null) this.doubts.push(`records from ${untrusted} on are signed by an unknown key`);
  }

  anchorText() {
    const file = this.options.anchor;
    if (file === null || !existsSync(file)) return null;
    try {
      return readFileSync(file, 'utf8');
    } catch {
      return null;
    }
  }

  readAnchor(text) {
    if (text === null) return null;
    const lines = text.split('\n');
    lines.pop();
    const anchor = { keys: [], checkpoints: [], badLines: [] };
    for (const [index, line] of lines.entries()) {
      const next = lines[index + 1] ?? '';
      // A line that a crash cut is followed by the same line as a whole.
      if (line === '' || (next.length > line.length && next.startsWith(line))) continue;
      const [, signed, signature] = /^\{"checkpoint":(\{.*\}),"signature":"([\w-]+)"\}$/.exec(line) ?? [];
      const head = signed === undefined ? parse(line)?.anchor : undefined;
      const body = signed === undefined ? null : parse(signed);
      if (head?.log && head.key) {
        if (head.log === this.log) anchor.keys.push(head.key);
      } else if (body?.v !== 1 || !isSigned(body.key, signed, signature)) anchor.badLines.push(index + 1);
      else if (body.log === this.log) anchor.checkpoints.push({ text: signed, body, line: index + 1 });
    }
    return anchor;
  }

  checkAnchor() {
    if (this.anchor === null) {
      this.doubts.push('there is no anchor');
      return;
    }
    const { keys, checkpoints, badLines } = this.anchor;
    if (keys.length > 0 && checkpoints.length > 0 && checkpoints.every(({ body }) => body.key !== keys[0]))
      this.bad('anchor_edited', null, 'the anchor begins with a key that signed none of its checkpoints');
    for (const line of badLines) this.bad('anchor_edited', null, `line ${line} of the anchor does not hold`);
    if (keys.length === 0 && checkpoints.length === 0) this.doubts.push('the anchor does not know this log');
    if (keys.length === 0 && checkpoints.length > 0)
      this.bad('anchor_edited', null, 'the anchor has no head');
    const newest = this.one('SELECT max(number) AS number FROM audit_checkpoints').number ?? 0;
    const newestTexts = new Map(checkpoints.map(({ text, body }) => [body.number, text]));
    let hasForked = false;
    let before = null;
    let good = 0;
    for (const { text, body, line } of checkpoints) {
      const { number, seq } = body;
      const by = `line ${line} of the anchor`;
      if (before?.text === text) continue;
      const isOld = newestTexts.get(number) !== text;
      if (isOld)
        this.bad('forked', Math.min(seq, good + 1), `${by} and a later one are both of checkpoint ${number}`);
      else if (number <= (before?.body.number ?? 0)) {
        // After a fork the new history goes on from where the old one was left.
        if (!hasForked) this.bad('anchor_edited', seq, `${by} is out of order`);
      } else if (before === null ? number > this.checkpointsFrom : number !== before.body.number + 1)
        this.bad('anchor_cut', (before?.body.seq ?? 0) + 1, `a checkpoint is missing before ${by}`, seq);
      else if (
        before === null ? number === 1 && body.previous !== null : body.previous !== sha256(before.text)
      )
        this.bad('anchor_edited', seq, `${by} does not follow from the one before it`);
      hasForked ||= isOld;
      before = { text, body };
      if (isOld) continue;
      if (number > newest && number > this.seen) continue;
      if (number < this.checkpointsFrom && seq < this.first) {
        good = seq;
        continue;
      }
      const row = this.one('SELECT body FROM audit_checkpoints WHERE number = ?', number);
      const hash = this.hashOf(seq);
      if (hash === body.hash) good = seq;
      if (row?.body === text) good = seq;
      else if (seq > this.last) this.truncated(seq);
      else if (hash !== null && hash !== body.hash) this.rewritten(good, seq, by);
      else
        this.bad(
          row === undefined ? 'checkpoint_missing' : 'checkpoint_edited',
          seq,
          `checkpoint ${number} is not the one of ${by}`,
        );
    }
    const through = before?.body.seq ?? 0;
    const behind = newest - (before?.body.number ?? 0);
    if (behind <= 1 || keys.length + checkpoints.length === 0) return;
    if (this.own.some(({ type, seq }) => type === 'audit.anchor_unwritable' && seq > through))
      this.doubts.push(`nothing vouches for the records after ${through}: the anchor could not be written`);
    else this.bad('anchor_cut', through + 1, `the anchor lacks ${behind} checkpoints`, this.last);
  }

  checkState() {
    const rows = new Map(
      this.db
        .prepare('SELECT * FROM instances')
        .all()
        .map((row) => [row.id, row]),
    );
    for (const [id, row] of rows) {
      const fold = this.folds.get(id);
      if (fold === undefined || !agrees(row, fold))
        this.bad('state_mismatch', fold?.record || null, `the row of instance ${id} was changed`);
    }
    for (const [id, { row, journal, record }] of this.folds)
      if (!rows.has(id) && (row !== null || journal !== null))
        this.bad('state_mismatch', record || null, `the row of instance ${id} is gone`);
    for (const { instance, first, last } of this.db
      .prepare('SELECT instance, min(seq) AS first, max(seq) AS last FROM events GROUP BY instance')
      .all()) {
      if (first < 1)
        this.bad('journal_mismatch', null, `event ${first} of instance ${instance} has a number of none`);
      if (last > (this.folds.get(instance)?.journal?.seq ?? 0))
        this.bad('journal_mismatch', null, `no record speaks of event ${last} of instance ${instance}`);
    }
    for (const [name, hash] of this.registrations) {
      const row = this.one('SELECT * FROM registrations WHERE name = ?', name);
      if ((row === undefined ? null : rowHash(row, REGISTRATION)) !== hash)
        this.bad('state_mismatch', null, `the registration of workflow ${name} was changed`);
    }
    for (const { name } of this.told.isWhole ? this.db.prepare('SELECT name FROM registrations').all() : [])
      if (!this.registrations.has(name))
        this.bad('state_mismatch', null, `no record speaks of the registration of workflow ${name}`);
    this.checkWorkflows();
    for (const { hash, body } of this.db.prepare('SELECT hash, body FROM documents').iterate())
      if (sha256(body) !== hash && sha256(canonical(parse(body))) !== hash)
        this.bad('document_mismatch', null, `the document ${hash} was changed`);
    for (const [table, column] of DOCUMENT_COLUMNS)
      for (const { hash } of this.has(table)
        ? this.db
            .prepare(
              `SELECT DISTINCT ${column} AS hash FROM ${table} WHERE ${column} NOT IN (SELECT hash FROM documents)`,
            )
            .all()
        : [])
        this.bad('document_mismatch', null, `the document ${hash} is gone, which the table ${table} names`);
    this.checkDecisions();
    for (const [hash, seq] of this.payloads) {
      const row = this.one('SELECT body FROM audit_payloads WHERE hash = ?', hash);
      const isFine =
        row?.body === null ? this.erased.has(hash) : row !== undefined && sha256(row.body) === hash;
      if (!isFine) this.bad('payload_mismatch', seq, `the payload of record ${seq} was changed`);
    }
  }

  has(table) {
    return this.one("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?", table) !== undefined;
  }

  checkWorkflows() {
    const bad = (seq, what) => this.bad('state_mismatch', seq, `${what} was changed, or is gone`);
    const isUntold = (name) => !this.isWhole || this.older.has(name);
    const all = (sql) => this.db.prepare(sql).all();
    const versions = this.has('versions') ? all('SELECT * FROM versions') : null;
    const seen = new Set();
    for (const row of versions ?? []) {
      const key = `${row.number} ${row.workflow}`;
      seen.add(key);
      const said = this.versions.get(key);
      if (said === undefined ? !isUntold(row.workflow) : said !== rowHash(row, VERSION))
        bad(null, `the kept version ${key}`);
    }
    for (const key of versions === null ? [] : this.versions.keys())
      if (!seen.has(key)) bad(null, `the kept version ${key}`);
    if (!this.has('schedules')) return;
    for (const { name, starter } of all('SELECT name, starter FROM registrations')) {
      const said = this.starters.get(name);
      if (said !== undefined && said !== (starter === null ? null : sha256(starter)))
        bad(null, `the starter of workflow ${name}`);
    }
    const scheduled = new Set();
    for (const row of all('SELECT * FROM schedules')) {
      const { workflow: name } = row;
      scheduled.add(name);
      const said = this.schedules.get(name);
      const fits = (column) => said !== null && row[column] === said[column];
      const isFine =
        said === undefined ? isUntold(name) : ['decided_to', 'paused_at', 'paused_by'].every(fits);
      if (!isFine) bad(null, `the schedule of workflow ${name}`);
    }
    for (const [name, said] of this.schedules)
      if (said !== null && !scheduled.has(name)) bad(null, `the schedule of workflow ${name}`);
    this.checkFires(bad);
  }

  checkFires(bad) {
    const pruned = this.segments.filter(({ last }) => last < this.first);
    const prunedUntil = Math.max(...pruned.map(({ until }) => until));
    const seen = new Set();
    for (const row of this.db.prepare('SELECT * FROM fires').iterate()) {
      const { workflow, at } = row;
      seen.add(`${at} ${workflow}`);
      const said = this.fires.get(workflow)?.get(Number(at));
      // The record of its decision was pruned; one that waited since may have gone with its schedule only now.
      const isOld = row.decided_at <= prunedUntil || (isDropped(row) && prunedUntil > 0);
      if (said === undefined ? !isOld : !this.isFireAsTold(row, said))
        bad(said?.seq ?? null, `the fire ${at} of workflow ${workflow}`);
    }
    for (const [workflow, fires] of this.fires)
      for (const [at, { seq }] of fires)
        if (at >= this.firesFrom && !seen.has(`${at} ${workflow}`))
          bad(seq, `the fire ${at} of workflow ${workflow}`);
  }

  isFireAsTold(row, { statuses, instance, reason, decidedAt, dropped }) {
    const isArchived = instance !== null && this.folds.get(instance)?.isArchived === true;
    if (row.instance !== (isArchived ? null : instance)) return false;
    if (dropped !== 'no' && isDropped(row)) return true;
    const isDecided = statuses.includes(row.status) && row.reason === reason && row.decided_at === decidedAt;
    return dropped !== 'yes' && isDecided;
  }

  /** An approval that nobody gave, a kill switch that nobody armed again. */
  checkDecisions() {
    const { approvals, latches, untold, isWhole } = this.told;
    const seen = new Set();
    for (const row of this.has('approvals') ? this.db.prepare('SELECT * FROM approvals').all() : []) {
      const key = `${row.instance} ${row.number}`;
      seen.add(key);
      const isUntold = !isWhole || untold.has(row.instance);
      const says = approvals.get(key);
      if (says === undefined ? !isUntold : !isAsTold(row, says, isUntold))
        this.bad(
          'state_mismatch',
          says?.record ?? null,
          `approval ${row.number} of ${row.instance} was changed`,
        );
    }
    for (const [key, { record }] of this.has('approvals') ? approvals : [])
      if (!seen.has(key)) this.bad('state_mismatch', record, `approval ${key} is gone`);
    const tripped = new Set();
    for (const row of this.has('kill_latches') ? this.db.prepare('SELECT * FROM kill_latches').all() : []) {
      tripped.add(row.scope);
      const says = latches.get(row.scope);
      const isTold =
        says?.trips.some(
          ([mode, reason, by, at]) =>
            mode === row.mode && reason === row.reason && by === row.tripped_by && at === row.at,
        ) ?? !isWhole;
      if (!isTold)
        this.bad('state_mismatch', says?.record ?? null, `the kill switch ${row.scope} was changed`);
    }
    for (const [scope, { isTripped, record }] of this.has('kill_latches') ? latches : [])
      if (isTripped && !tripped.has(scope))
        this.bad('state_mismatch', record, `the kill switch ${scope} is gone and was not armed again`);
  }
}

const isDropped = ({ status, reason }) =>
  status === 'skipped' && reason === 'the workflow has no schedule any more';

function isAsTold(row, { argsHash, asked, isVoid, expiresAt, ends }, isUntold) {
  if (argsHash !== null && row.args_hash !== argsHash) return false;
  if (expiresAt !== null && row.expires_at !== Date.parse(expiresAt)) return false;
  if (typeof asked === 'string' && rowHash(row, APPROVAL) !== asked) return false;
  if (isVoid !== undefined && (row.void_at !== null) !== isVoid) return false;
  const { status, decided_at: decidedAt, decided_by: decidedBy } = row;
  const isOpen = status === 'pending' && decidedAt === null && decidedBy === null && row.reason === null;
  if (ends.length === 0) return isOpen || isUntold;
  return ends.some((end) => {
    // What older versions left of pruned records says less.
    if (end.status !== status || (end.reason === undefined && end.by === null)) return end.status === status;
    const isSaid = end.reason === undefined || end.reason === row.reason;
    return isSaid && end.by === decidedBy && end.at === decidedAt;
  });
}

function agrees(row, { row: says, journal, status, end, paused, hasMoved, isArchived }) {
  if (isArchived === true) return false;
  if (says !== null && rowHash(row, FIXED) !== says.fixed) return false;
  if (says !== null && !hasMoved) return rowHash(row, MOVING) === says.moving;
  if (journal !== null && (row.last_seq !== journal.seq || row.journal_digest !== journal.digest))
    return false;
  if (status !== null && row.status !== status) return false;
  if (paused !== undefined && row.paused_at !== (paused?.at ?? null)) return false;
  if (paused !== undefined && row.paused_by !== (paused?.by ?? null)) return false;
  const { reason, error, ended_at: endedAt } = row;
  if (end === null) return status === null || (reason === null && error === null && endedAt === null);
  if (reason !== end.reason || endedAt !== end.at) return false;
  return (
    end.error === undefined ||
    end.error === sha256(canonical(error === null ? null : (parse(error) ?? 'none')))
  );
}

function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      anchor: { type: 'string' },
      key: { type: 'string' },
      'seal-key': { type: 'string' },
      from: { type: 'string', default: '1' },
      json: { type: 'boolean', default: false },
    },
  });
  const [file] = positionals;
  if (file === undefined || positionals.length > 1) {
    process.stderr.write(
      'usage: node verify-audit.mjs DATABASE [--anchor FILE] [--key ed25519:…] [--seal-key FILE] [--from SEQ] [--json]\n',
    );
    return 1;
  }
  const options = {
    anchor: values.anchor ?? null,
    key: values.key ?? null,
    sealKey: values['seal-key'] ?? null,
    from: Number(values.from),
  };
  let check = null;
  const problems = [];
  const doubts = [];
  if (!existsSync(file)) doubts.push(`there is no database ${file}`);
  else
    try {
      check = new Check(openRows(file), options);
      check.run();
    } catch (error) {
      problems.push({ kind: 'database_corrupt', seq: null, message: `it cannot be read: ${error.message}` });
    }
  problems.push(...(check?.problems ?? []));
  doubts.push(...(check?.doubts ?? []));
  problems.sort((a, b) => rankOf(a) - rankOf(b) || (a.seq ?? 0) - (b.seq ?? 0));
  const verdict = problems.length > 0 ? 'tampered' : doubts.length > 0 ? 'unknown' : 'intact';
  const report = {
    verdict,
    first_bad: problems[0] ?? null,
    problems: problems.slice(0, 100),
    problem_count: problems.length,
    doubts,
    log: check?.log ?? null,
    key: check?.trusted ?? null,
    last_seq: check?.last ?? 0,
  };
  if (values.json) process.stdout.write(`${JSON.stringify(report)}\n`);
  else {
    const lines = [
      `${verdict}: log ${report.log}, records up to ${report.last_seq}, key ${report.key}`,
      ...problems.slice(0, 20).map(({ kind, message }) => `  ${kind}: ${message}`),
      ...doubts.map((doubt) => `  cannot tell: ${doubt}`),
    ];
    process.stdout.write(`${lines.join('\n')}\n`);
  }
  return { intact: 0, tampered: 2, unknown: 3 }[verdict];
}

process.exitCode = main();
