/** What an operator, an agent for itself, or a proxy can change. */
export type ChangeAction =
  | `grant.${'issue' | 'clone' | 'regenerate' | 'delegate' | 'edit' | 'revoke' | 'reactivate' | 'delete'}`
  | `secret.${'add' | 'rotate' | 'renew' | 'edit' | 'revoke' | 'reactivate' | 'delete'}`
  | `provider.${'add' | 'delete'}`
  | `agent.${'create' | 'pause' | 'resume' | 'delete' | 'allow' | 'disallow'}`
  | `idp.${'add' | 'delete'}`
  | 'policy.set'
  | `key.${'create' | 'deprecate' | 'rotate' | 'prolong' | 'revoke'}`;

/** What is recorded about one change of a record. It says which record and which of its members, never what they hold. */
export interface ChangeEvent {
  readonly v: 1;
  /** Event id. */
  readonly id: string;
  readonly type: 'change';
  /** When, ISO 8601 in UTC. */
  readonly start: string;
  readonly app: string;
  /** Who: `operator:<user of the command>`, `agent:<name>`, or `proxy:<name>` that stored a new refresh token. */
  readonly by: string;
  readonly action: ChangeAction;
  /** Id of the record that was changed; of a key, its display prefix. */
  readonly target: string;
  /** Its label or name, for people. */
  readonly label: string | null;
  /** Ids of the records that the change links, by what they are to it: `secret`, `source`, `replaces`, `agent`. */
  readonly links: Readonly<Record<string, string>>;
  /** Names of the members that were changed. */
  readonly members: readonly string[];
}
