/**
 * The columns that `--sort` and `--filter` of each list know, by its command. Written here once more, because the lists
 * themselves load the command line, and a key press waits for nothing; a test compares them.
 */
export const COLUMN_NAMES: Readonly<Record<string, readonly string[]>> = {
  list: columns('name version source status description file'),
  status: columns('id workflow version definition status created started ended took_ms reason'),
  approvals: columns('instance number workflow step status requested expires kind agent what decided_by'),
  'schedule list': columns('workflow status next zone last last_status last_instance waiting problem'),
  'skills list': columns('name type source status notes description file'),
  'agents list': columns('name type source status notes description file'),
  'audit list': columns('seq at instance type severity actor actor_kind facts hash'),
  'archive list': columns('id workflow version status created ended archived bytes file'),
};

function columns(names: string): string[] {
  return names.split(' ');
}
