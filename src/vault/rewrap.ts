import { CommandError } from '../errors.ts';
import { RECORD_KINDS, refText } from '../store/store.ts';
import type { RecordKind } from '../store/store.ts';
import { RecordUnreadableError } from './record-unreadable.ts';
import { WRITE_ATTEMPTS, reach } from './sealed-records.ts';
import type { SealedRecords } from './sealed-records.ts';
import { open, seal, sealedUnder } from './sealing.ts';

/** What a pass over the records found and did. */
export interface RewrapCounts {
  readonly scanned: number;
  readonly rewrapped: number;
  readonly unreadable: number;
}

type Outcome = 'current' | 'rewrapped' | 'unreadable' | 'foreign';

/**
 * Seals every record of the app again under its active key. The content stays untouched, also what a newer version wrote. Each record is
 * replaced only if it still is what was read, so writers at the same time lose nothing.
 */
export async function rewrapAll(records: SealedRecords): Promise<RewrapCounts> {
  const counts = { scanned: 0, rewrapped: 0, unreadable: 0 };
  for (const kind of RECORD_KINDS) {
    for await (const ids of records.ids(kind)) {
      for (const outcome of await Promise.all(ids.map((id) => rewrapOne(records, kind, id)))) {
        if (outcome !== 'foreign') counts.scanned++;
        if (outcome === 'rewrapped' || outcome === 'unreadable') counts[outcome]++;
      }
    }
  }
  return counts;
}

/** How many records of the app, and keys, are sealed under `kid`. */
export async function countSealedUnder(records: SealedRecords, kid: string): Promise<number> {
  let count = 0;
  for (const kind of RECORD_KINDS) {
    for await (const ids of records.ids(kind)) {
      const texts = await Promise.all(ids.map((id) => reach(() => records.store.get(records.ref(kind, id)))));
      count += texts.filter((text) => text !== undefined && sealedUnder(text) === kid).length;
    }
  }
  return count;
}

async function rewrapOne(records: SealedRecords, kind: RecordKind, id: string): Promise<Outcome> {
  const ref = records.ref(kind, id);
  for (let attempt = 0; attempt < WRITE_ATTEMPTS; attempt++) {
    const text = await reach(() => records.store.get(ref));
    if (text === undefined) return 'foreign';
    const outcome = await rewrapText(records, kind, id, text);
    if (outcome !== 'overtaken') return outcome;
  }
  throw new CommandError('record_conflict', `${refText(ref)} is being changed by somebody else`);
}

async function rewrapText(records: SealedRecords, kind: RecordKind, id: string, text: string): Promise<Outcome | 'overtaken'> {
  const { app, keyring, store } = records;
  const ref = records.ref(kind, id);
  let record;
  try {
    record = await open(keyring, ref, text);
  } catch (error) {
    if (!(error instanceof RecordUnreadableError)) throw error;
    return kind === 'key' && error.reason === 'unknown_kid' ? 'foreign' : 'unreadable';
  }
  if (record.app !== app) return 'foreign';
  if (sealedUnder(text) === keyring.activeKid(app)) return 'current';
  const sealed = await seal(keyring, ref, record);
  return (await reach(() => store.put(ref, text, sealed))) ? 'rewrapped' : 'overtaken';
}
