/** Where a command was called from; names are looked up from there. */
export interface Caller {
  readonly workspace: string;
  readonly userHome: string;
  /** `XDG_CONFIG_HOME`, else `~/.config`. */
  readonly configHome: string;
  readonly person: string;
  /** By what a program asks in the person's name, such as `mcp q-cli`; it stands in the audit log. */
  readonly via?: string;
}
