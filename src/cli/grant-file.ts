/** Files with many grants to issue. */
import { parseYamlText } from '../config/yaml-document.ts';
import { CommandError } from '../errors.ts';
import type { NewGrant } from '../vault/grants/issue.ts';
import type { GrantPrincipal } from '../vault/records.ts';
import { durationOption } from './command.ts';
import { groupPrincipal, instantOption, userPrincipal } from './grant-options.ts';
import { methodRules } from './method-rules.ts';

/** One item of the file: a grant to issue, or what is wrong with it. */
export type FileItem = { readonly grant: NewGrant } | { readonly error: CommandError; readonly label?: string };

const MAX_ITEMS = 10_000;
const KEYS = ['secret', 'label', 'description', 'user', 'group', 'agent', 'ttl', 'expires_at', 'methods'];

/** The items of a YAML or JSON file: a list, or a mapping with a list under `grants`. Throws CommandError when it holds no such list. */
export function readGrantFile(text: string, whence: string): readonly FileItem[] {
  const value = parseYamlText(text, whence);
  const list = isMapping(value) ? value['grants'] : value;
  if (!Array.isArray(list)) throw new CommandError('record_invalid', `${whence} holds no list of grants`);
  if (list.length > MAX_ITEMS) throw new CommandError('record_invalid', `${whence} holds more than ${String(MAX_ITEMS)} grants`);
  return list.map(readItem);
}

function readItem(item: unknown): FileItem {
  try {
    return { grant: newGrant(item) };
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    const label = isMapping(item) ? item['label'] : undefined;
    return { error, ...(typeof label === 'string' ? { label } : {}) };
  }
}

function newGrant(item: unknown): NewGrant {
  if (!isMapping(item)) throw invalid('a grant is a mapping with secret and label');
  const unknown = Object.keys(item).find((key) => !KEYS.includes(key));
  if (unknown !== undefined) throw invalid(`${JSON.stringify(unknown)} is not known; a grant has: ${KEYS.join(', ')}`);
  const description = textAt(item, 'description');
  const ttlMs = durationOption('ttl', textAt(item, 'ttl'));
  const expiresAt = textAt(item, 'expires_at');
  return {
    secret: requiredTextAt(item, 'secret'),
    label: requiredTextAt(item, 'label'),
    ...(description === undefined ? {} : { description }),
    ...principalAt(item),
    ...(ttlMs === undefined ? {} : { ttlMs }),
    ...(expiresAt === undefined ? {} : { expiresAt: instantOption('expires_at', expiresAt) }),
    policy: methodRules('methods', textsAt(item, 'methods')),
  };
}

function principalAt(item: Mapping): { readonly principal?: GrantPrincipal } {
  const [user, group, agent] = [textAt(item, 'user'), textAt(item, 'group'), textAt(item, 'agent')];
  const principals: readonly GrantPrincipal[] = [
    ...(user === undefined ? [] : [userPrincipal('user', user)]),
    ...(group === undefined ? [] : [groupPrincipal('group', group)]),
    ...(agent === undefined ? [] : [{ type: 'agent', agent } as const]),
  ];
  const [principal, another] = principals;
  if (another !== undefined) throw invalid('a grant has one principal: a user, a group or an agent');
  return principal === undefined ? {} : { principal };
}

type Mapping = Readonly<Record<string, unknown>>;

function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function textAt(item: Mapping, key: string): string | undefined {
  const value = item[key];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string') throw invalid(`${key} is not a text; put it in quotes`);
  return value;
}

function requiredTextAt(item: Mapping, key: string): string {
  const text = textAt(item, key);
  if (text === undefined) throw invalid(`${key} is missing`);
  return text;
}

function textsAt(item: Mapping, key: string): readonly string[] | undefined {
  const value = item[key];
  if (value === undefined || value === null) return undefined;
  if (!Array.isArray(value) || !value.every((one) => typeof one === 'string')) throw invalid(`${key} is not a list of texts`);
  return value;
}

function invalid(message: string): CommandError {
  return new CommandError('record_invalid', message);
}
