import type { RecordKind, RecordRef } from '../store/store.ts';
import type { Keyring } from './keyring.ts';
import type { RecordTypes } from './records.ts';
import { open } from './sealing.ts';
import { parseRecord } from './shapes.ts';

/** Opens and parses what was read at `ref`. Rejects with RecordUnreadableError. */
export async function openRecord<K extends RecordKind>(keyring: Keyring, kind: K, ref: RecordRef, text: string): Promise<RecordTypes[K]> {
  return parseRecord(kind, ref, await open(keyring, ref, text));
}
