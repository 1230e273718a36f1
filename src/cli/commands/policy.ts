import type { Command } from 'commander';
import { describeRule } from '../../policy/compile.ts';
import type { AttachedPolicy } from '../../vault/policies.ts';
import { declare, declareGroup, perform, type Runtime } from '../command.ts';
import { shortRule } from '../policy-text.ts';
import { addTargetOptions, readRules, targetOf, type TargetOptions } from '../policy-target.ts';
import type { Session } from '../session.ts';
import { addPolicyTestCommands } from './policy-test.ts';

/** What a policy is attached to, in words: `secret openai`. */
function placeText({ at, name }: AttachedPolicy): string {
  return at === 'app' ? `app ${name}` : `${at} ${name}`;
}

function ruleRows(session: Session, { rules }: AttachedPolicy): string[] {
  return session.output.table(
    ['rule', 'kind', 'mode', 'passes when'],
    rules.map((rule) => [rule.name ?? rule.kind, rule.kind, rule.mode ?? 'enforce', describeRule(rule)]),
  );
}

async function set(session: Session, options: TargetOptions & { readonly file: string }): Promise<void> {
  const target = targetOf(options);
  const rules = await readRules(session, options.file);
  const policy = await (await session.administration()).setPolicy(target, rules);
  session.output.result(policy, () => `Set ${String(rules.length)} ${rules.length === 1 ? 'rule' : 'rules'} for ${placeText(policy)}`);
}

async function show(session: Session, options: TargetOptions): Promise<void> {
  const policy = await (await session.administration()).showPolicy(targetOf(options));
  session.output.result(policy, () =>
    policy.rules.length === 0 ? `No rules for ${placeText(policy)}.` : [`Rules for ${placeText(policy)}:`, ...ruleRows(session, policy)],
  );
}

async function clear(session: Session, options: TargetOptions): Promise<void> {
  const policy = await (await session.administration()).setPolicy(targetOf(options), []);
  session.output.result(policy, () => `Cleared the rules for ${placeText(policy)}`);
}

async function list(session: Session): Promise<void> {
  const policies = await (await session.administration()).listPolicies();
  session.output.result(policies, () => {
    if (policies.length === 0) return 'No policies. Attach one with: alter-proxy policy set --app --file rules.yaml';
    return session.output.table(
      ['at', 'name', 'id', 'rules'],
      policies.map(({ at, name, id, rules }) => [at, name, id === name ? '' : id, rules.map(shortRule).join('; ')]),
    );
  });
}

/** `policy set`, `show`, `clear`, `list`, `test` and `explain`. */
export function addPolicyCommands(program: Command, runtime: Runtime): void {
  const group = declareGroup(program, 'policy', 'Rules that requests must pass');
  const setting = addTargetOptions(
    declare(group, 'set', 'Attach the rules of a file in place of what was there. They hold from the next request on.', [
      'alter-proxy policy set --secret openai --file read-only.yaml',
      'alter-proxy policy set --app --file - < rules.json',
    ]),
  ).requiredOption('-f, --file <file>', 'YAML or JSON file with rules:, or - for stdin');
  perform<TargetOptions & { readonly file: string }>(setting, runtime, async (session, options) => {
    await set(session, options);
    return 0;
  });
  const showing = addTargetOptions(
    declare(group, 'show', 'Show the rules at one place.', [
      'alter-proxy policy show --app',
      'alter-proxy policy show --secret openai --json',
    ]),
  );
  perform<TargetOptions>(showing, runtime, async (session, options) => {
    await show(session, options);
    return 0;
  });
  const clearing = addTargetOptions(
    declare(group, 'clear', 'Take all rules away from one place.', ['alter-proxy policy clear --provider openai']),
  );
  perform<TargetOptions>(clearing, runtime, async (session, options) => {
    await clear(session, options);
    return 0;
  });
  const listing = declare(group, 'list', 'List every place that has rules.', ['alter-proxy policy list']);
  perform(listing, runtime, async (session) => {
    await list(session);
    return session.listed();
  });
  addPolicyTestCommands(group, runtime);
}
