import type { Path, SettingsTree } from './tree.ts';

/** What one source says: the file, the environment or the flags. */
export interface Layer {
  readonly tree: SettingsTree;
  /** How a message about the value at `path` starts: `config.yaml:3:9: listen.port`, `ALTER_LISTEN_PORT`, `--port`. */
  where(path: Path): string;
  /** The same for the key that holds the value. */
  whereKey(path: Path): string;
}
