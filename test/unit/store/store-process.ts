/** Another process on the same embedded store: a child that runs store calls for the test, and can be killed in the middle of them. */
import { fork, spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { openStore } from '../../../src/store/open.ts';
import type { RecordRef, Store } from '../../../src/store/store.ts';

type Order =
  | { readonly order: 'put'; readonly ref: RecordRef; readonly expected?: string; readonly value?: string }
  | { readonly order: 'append'; readonly app: string; readonly events: readonly string[] }
  /** Takes `times` places in a window of a minute; the answer is how many there were. */
  | { readonly order: 'take'; readonly name: string; readonly limit: number; readonly times: number }
  | { readonly order: 'writeForEver'; readonly prefix: string }
  | { readonly order: 'fillUp' }
  | { readonly order: 'fillUpBeside'; readonly name: string };

/** What a child has seen when the disk was full. */
export interface FullDisk {
  /** How many events were stored before. */
  readonly acknowledged: number;
  readonly errors: readonly { readonly name: string; readonly message: string }[];
  readonly readable: boolean;
  /** How often a record could be changed afterwards. */
  readonly changed: number;
}

/** Of events of requests. */
const WRITER = '0123456789abcdef';

/** Text of a record that shows by itself whether it is whole. */
export function wholeText(id: string): string {
  return `${id}|${'x'.repeat(2500)}|${id}`;
}

/** A child process with the store of `folder` open. */
export class StoreProcess {
  readonly child: ChildProcess;
  readonly #stderr: Buffer[] = [];

  /** `fileBlocks`: the largest file it can write, in units of 512 bytes. */
  constructor(folder: string, fileBlocks?: number) {
    const script = fileURLToPath(import.meta.url);
    this.child =
      fileBlocks === undefined
        ? fork(script, [folder], { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] })
        : spawn('sh', ['-c', `ulimit -f ${fileBlocks}; exec "$0" "$1" "$2"`, process.execPath, script, folder], {
            stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
          });
    this.child.stderr?.on('data', (chunk: Buffer) => this.#stderr.push(chunk));
  }

  /** What a child with a limit has written to stderr. */
  stderr(): string {
    return Buffer.concat(this.#stderr).toString();
  }

  /** Resolves with the answer of the child. */
  async run(order: Order): Promise<unknown> {
    const answer = this.next();
    this.child.send(order);
    return answer;
  }

  /** The next message of the child. */
  next(): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const ended = (): void => reject(new Error('the child has ended'));
      this.child.once('exit', ended);
      this.child.once('message', (message) => {
        this.child.off('exit', ended);
        resolve(message);
      });
    });
  }

  async kill(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    // Messages that were sent before the end are still delivered before 'close'.
    const gone = new Promise((resolve) => this.child.once('close', resolve));
    this.child.kill('SIGKILL');
    await gone;
  }
}

async function serve(folder: string): Promise<void> {
  const store = await openStore({ kind: 'embedded', path: folder }, { auditMaxStream: 0 });
  process.on('message', (order: Order) => {
    void obey(store, order).then((answer) => process.send?.(answer));
  });
  process.send?.('ready');
}

async function obey(store: Store, order: Order): Promise<unknown> {
  switch (order.order) {
    case 'put':
      return store.put(order.ref, order.expected, order.value);
    case 'append':
      return store.appendEvents(order.app, order.events).then(() => 'appended');
    case 'take':
      return takePlaces(store, order);
    case 'writeForEver':
      return writeForEver(store, order.prefix);
    case 'fillUp':
      return fillUp(store);
    case 'fillUpBeside':
      return fillUpBeside(store, order.name);
  }
}

async function takePlaces(
  store: Store,
  { name, limit, times }: { readonly name: string; readonly limit: number; readonly times: number },
): Promise<number> {
  const take = { name, limit, windowMs: 60_000 };
  const states = await Promise.all(Array.from({ length: times }, () => store.takeFromCounter('default', take)));
  return states.filter(({ taken }) => taken).length;
}

async function writeForEver(store: Store, prefix: string): Promise<never> {
  for (let n = 0; ; n++) {
    const id = `${prefix}-${n}`;
    await store.put({ kind: 'grant', app: 'default', id }, undefined, wholeText(id));
    process.send?.({ record: id });
    await store.appendEvents('default', [wholeText(id), wholeText(id)]);
    process.send?.({ event: id });
    if (n % 3 === 2)
      await store.put({ kind: 'grant', app: 'default', id: `${prefix}-${n - 1}` }, wholeText(`${prefix}-${n - 1}`), undefined);
  }
}

async function fillUp(store: Store): Promise<FullDisk> {
  let acknowledged = 0;
  const errors: { name: string; message: string }[] = [];
  while (errors.length < 4 && acknowledged < 5000) {
    try {
      await store.appendEvents('default', [wholeText(String(acknowledged))], { writer: WRITER, first: acknowledged });
      acknowledged += 1;
    } catch (error) {
      errors.push({ name: (error as Error).name, message: (error as Error).message });
    }
  }
  const events = await store.readEvents('default', { after: '0', limit: 5000 });
  const readable = events.length === acknowledged && events.every(({ json }, n) => json === wholeText(String(n)));
  const ref: RecordRef = { kind: 'grant', app: 'default', id: 'changed' };
  let changed = 0;
  while (changed < 200) {
    const before = changed === 0 ? undefined : wholeText(String(changed));
    if (!(await store.put(ref, before, wholeText(String(changed + 1))))) break;
    await store.appendEvents('default', [`change ${String(changed)}`]);
    changed += 1;
  }
  return { acknowledged, errors, readable, changed };
}

/** Appends large batches while others do, until there is no room, and then writes small records: how many found room, and what the errors said. */
async function fillUpBeside(store: Store, name: string): Promise<{ readonly records: number; readonly errors: readonly string[] }> {
  const batch = Array.from({ length: 200 }, (_, n) => wholeText(`${name}-${String(n)}`));
  const errors: string[] = [];
  const note = (error: unknown): number => errors.push((error as Error).message);
  while (errors.length < 20) await store.appendEvents('default', batch, { writer: WRITER, first: 0 }).catch(note);
  let records = 0;
  for (; records < 20; records += 1) await store.put({ kind: 'grant', app: 'default', id: `${name}-${String(records)}` }, undefined, 'x');
  return { records, errors: [...new Set(errors)] };
}

const [, script, folder] = process.argv;
if (script === fileURLToPath(import.meta.url) && folder !== undefined) await serve(folder);
