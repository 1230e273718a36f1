import type { Command } from 'commander';
import { basename } from 'node:path';
import type { AuditEvent } from '../../audit/event.ts';
import { CommandError, WIRE_ERRORS } from '../../errors.ts';
import type { WireCode } from '../../errors.ts';
import { parseRequestFile } from '../../policy-file/request-file.ts';
import { explain, requirementOf } from '../../policy/explain.ts';
import type { Explanation } from '../../policy/explain.ts';
import type { Administration } from '../../vault/administration.ts';
import { exchangesAmong, parseEvent } from '../audit-events.ts';
import { declare, perform, type Runtime } from '../command.ts';
import { factsOfEvent, factsOfRequest, policyFor, proposedPolicy, subjectOf, type Proposal, type Subject } from '../policy-replay.ts';
import { addTargetOptions, readInput, readRules, targetOf, type TargetOptions } from '../policy-target.ts';
import type { Session } from '../session.ts';

interface TestOptions extends TargetOptions {
  readonly request?: string;
  readonly events?: string;
  readonly rules?: string;
}

const MAX_EVENTS = 10_000;
const DENIED = 3;

const VERDICTS = { passes: 'passes', fails: 'denies', unavailable: 'cannot be evaluated', counted: 'depends on the count' } as const;

const NO_SUCH_GRANT = 'there is no such grant';

/** Codes of refusals by a rule of a policy. */
const POLICY_CODES: ReadonlySet<string | null> = new Set<WireCode>(['policy_violation', 'policy_unavailable', 'rate_limited']);

/** What passes where not a rule of a policy refused, by the `rule` of the event. */
const OTHERWISE_PASSES: ReadonlyMap<string | null, string> = new Map([
  ['ungranted', 'the request names a grant'],
  ['delegation_source', 'the grant from which this one was delegated can be used'],
]);

/** One rule a line, for programs. */
function rulesOf({ rules }: Explanation): readonly object[] {
  return rules.map(({ rule, verdict, requires, cause }) => ({
    rule: rule.label,
    kind: rule.kind,
    mode: rule.warn ? 'warn' : 'enforce',
    verdict: VERDICTS[verdict],
    requires,
    ...(cause === undefined ? {} : { cause }),
  }));
}

function ruleTable({ output }: Session, explanation: Explanation): string[] {
  return output.table(
    ['rule', 'verdict', 'passes when'],
    explanation.rules.map(({ rule, verdict, requires, cause }) => [
      rule.warn ? `${rule.label} (warn)` : rule.label,
      { painted: output.paint(verdict === 'passes' ? 'green' : verdict === 'counted' ? 'yellow' : 'red', VERDICTS[verdict]) },
      cause === undefined ? requires : `${requires}; it failed: ${cause}`,
    ]),
  );
}

function outcomeText({ allow, refusedBy, warnings }: Explanation): string {
  const warned = warnings.length === 0 ? '' : `; in mode warn, would deny: ${warnings.join(', ')}`;
  return `${allow ? 'Allowed' : `Denied by ${refusedBy?.label ?? 'a rule'}`}${warned}`;
}

async function proposalOf(session: Session, options: TestOptions): Promise<Proposal | undefined> {
  if (options.rules === undefined) return undefined;
  const rules = await readRules(session, options.rules);
  const { app, provider, secret, agent, grant } = options;
  // --grant also says which grant is asked about; with another place named, the rules belong there.
  const elsewhere = app === true || provider !== undefined || secret !== undefined || agent !== undefined;
  if (!elsewhere)
    return { at: 'grant', id: grant === undefined ? '' : (await (await session.administration()).showGrant(grant)).id, rules };
  const { grant: _asked, ...place } = options;
  const { at, id } = await (await session.administration()).showPolicy(targetOf(place));
  return { at, id, rules };
}

async function testRequest(session: Session, file: string, options: TestOptions): Promise<number> {
  const request = parseRequestFile(await readInput(session, file), file === '-' ? 'stdin' : basename(file));
  const proposal = await proposalOf(session, options);
  const administration = await session.administration();
  const subject = options.grant === undefined ? undefined : await subjectOf(administration, options.grant);
  if (subject === undefined && proposal === undefined)
    throw new CommandError('usage', 'name the grant that the request uses with --grant, or rules with --rules');
  // A name that is misspelled would be judged without the rules of its agent, and pass.
  if (request.agent !== undefined) await administration.agents.show(request.agent);
  const facts = factsOfRequest(request, session.config().app, subject, Date.now());
  const policy =
    subject !== undefined
      ? await policyFor(administration, subject, facts.agent, proposal)
      : proposedPolicy(proposal ?? { at: 'grant', id: '', rules: [] });
  const explanation = explain(facts, policy);
  const { allow, refusedBy, warnings } = explanation;
  session.output.result({ allow, rule: refusedBy?.label ?? null, warnings, rules: rulesOf(explanation) }, () => [
    ...ruleTable(session, explanation),
    '',
    outcomeText(explanation),
  ]);
  return allow ? 0 : DENIED;
}

interface Replayed {
  readonly event: AuditEvent;
  readonly explanation: Explanation | undefined;
}

/** Explanations of events, with every grant looked up once; undefined where there is no such grant, or none was used. */
async function replay(administration: Administration, events: readonly AuditEvent[], proposal: Proposal | undefined): Promise<Replayed[]> {
  const known = new Map<string, Promise<Subject | undefined>>();
  const find = (id: string): Promise<Subject | undefined> => {
    const found = known.get(id) ?? subjectOf(administration, id).catch(ignoreUnknown);
    known.set(id, found);
    return found;
  };
  const replayed: Replayed[] = [];
  for (const event of events) {
    const subject = event.grantId === null ? undefined : await find(event.grantId);
    replayed.push({ event, explanation: subject === undefined ? undefined : await explainEvent(administration, event, subject, proposal) });
  }
  return replayed;
}

async function explainEvent(
  administration: Administration,
  event: AuditEvent,
  subject: Subject,
  proposal: Proposal | undefined,
): Promise<Explanation> {
  const facts = factsOfEvent(event, subject);
  return explain(facts, await policyFor(administration, subject, facts.agent, proposal));
}

function ignoreUnknown(error: unknown): undefined {
  if (error instanceof CommandError && error.code === 'not_found') return undefined;
  throw error;
}

async function lastEvents(session: Session, limit: number): Promise<readonly AuditEvent[]> {
  const stored = await (await session.store()).readEvents(session.config().app, { limit });
  return exchangesAmong(stored.map(({ json }) => parseEvent(json)));
}

async function testEvents(session: Session, count: string, options: TestOptions): Promise<number> {
  const limit = Number(count);
  if (!/^\d{1,5}$/.test(count) || limit < 1 || limit > MAX_EVENTS)
    throw new CommandError('usage', `--events takes a number from 1 to ${String(MAX_EVENTS)}`);
  const proposal = await proposalOf(session, options);
  const administration = await session.administration();
  const asked = options.grant === undefined ? undefined : (await administration.showGrant(options.grant)).id;
  const events = (await lastEvents(session, limit)).filter(
    ({ type, grantId }) => type === 'request' && grantId !== null && (asked === undefined || grantId === asked),
  );
  const replayed = await replay(administration, events, proposal);
  const said = ({ explanation }: Replayed): string =>
    explanation === undefined ? NO_SUCH_GRANT : explanation.allow ? 'allowed' : `denied by ${explanation.refusedBy?.label ?? ''}`;
  session.output.result(
    replayed.map(({ event, explanation }) => ({
      id: event.id,
      recorded: { outcome: event.outcome, rule: event.rule },
      ...(explanation === undefined
        ? { allow: null }
        : {
            allow: explanation.allow,
            rule: explanation.refusedBy?.label ?? null,
            warnings: explanation.warnings,
            rules: rulesOf(explanation),
          }),
    })),
    () => {
      if (replayed.length === 0) return `No events of requests with ${asked === undefined ? 'a' : 'this'} grant.`;
      return session.output.table(
        ['time', 'request', 'then', 'now'],
        replayed.map((one) => [
          one.event.start,
          `${one.event.method} ${one.event.host}${one.event.path}`,
          [one.event.outcome, one.event.rule].filter((text) => text !== null).join(' '),
          said(one),
        ]),
      );
    },
  );
  return 0;
}

async function test(session: Session, options: TestOptions): Promise<number> {
  const { request, events } = options;
  if ((request === undefined) === (events === undefined)) throw new CommandError('usage', 'give either --request or --events');
  if (request === '-' && options.rules === '-') throw new CommandError('usage', 'only one of --request and --rules can be stdin');
  return request === undefined ? await testEvents(session, events ?? '', options) : await testRequest(session, request, options);
}

/** Label of the rule of a policy that refused; undefined when something else did. */
function refusingRule({ outcome, code, rule }: AuditEvent): string | undefined {
  // Only the label of a rule of a policy has a place: `secret:methods`.
  return outcome === 'policy_denied' && POLICY_CODES.has(code) && rule?.includes(':') === true ? rule : undefined;
}

async function explainRequest(session: Session, id: string): Promise<number> {
  const event = (await lastEvents(session, MAX_EVENTS)).find((candidate) => candidate.id === id);
  if (event === undefined)
    throw new CommandError('not_found', `the last ${String(MAX_EVENTS)} events hold no request ${JSON.stringify(id)}`, {
      hint: 'Pass the X-Alter-Request-Id of an answer; `alter-proxy audit tail --json` prints it as id.',
    });
  const [replayed] = await replay(await session.administration(), [event], undefined);
  const explanation = replayed?.explanation;
  const refused = event.outcome === 'policy_denied' && event.rule !== null;
  const rule = refusingRule(event);
  const attached = explanation?.rules.find((candidate) => candidate.rule.label === rule);
  const wouldPass = attached === undefined ? (OTHERWISE_PASSES.get(event.rule) ?? null) : requirementOf(attached.rule);
  const detached = rule !== undefined && explanation !== undefined && attached === undefined;
  const hint = event.code === null || !(event.code in WIRE_ERRORS) ? undefined : WIRE_ERRORS[event.code as WireCode].hint;
  const withoutRules = event.grantId === null ? 'the request used no grant' : NO_SUCH_GRANT;
  const { output } = session;
  output.result(
    {
      id: event.id,
      outcome: event.outcome,
      code: event.code,
      rule: event.rule,
      warnings: event.warnings,
      wouldPass,
      now: explanation === undefined ? null : { allow: explanation.allow, rules: rulesOf(explanation) },
    },
    () => [
      ...output.facts([
        ['Request', `${event.method} ${event.host}${event.path}`],
        ['Time', event.start],
        ['Outcome', [event.outcome, event.code].filter((text) => text !== null).join(', ')],
        ['Refused by', refused ? event.rule : undefined],
        ['Passes when', wouldPass ?? (detached ? 'the rule is not attached any more' : undefined)],
        ['Hint', wouldPass !== null && POLICY_CODES.has(event.code) ? undefined : hint],
        ['With the rules of now', explanation === undefined ? withoutRules : outcomeText(explanation)],
      ]),
      ...(explanation === undefined || explanation.rules.length === 0 ? [] : ['', ...ruleTable(session, explanation)]),
    ],
  );
  return 0;
}

/** `policy test` and `policy explain`. */
export function addPolicyTestCommands(group: Command, runtime: Runtime): void {
  const testing = addTargetOptions(
    declare(
      group,
      'test',
      'Say what the rules make of a request, or of recorded ones, rule by rule. Nothing is counted. Ends with 3 when the request is denied.',
      [
        'alter-proxy policy test --request request.yaml --grant 0b54d9c5-6c1c-4c1e-9d3c-0a9a5e2f7b11',
        'alter-proxy policy test --request request.yaml --rules proposed.yaml',
        'alter-proxy policy test --events 500 --rules proposed.yaml --secret openai',
      ],
    ),
  )
    .option('-r, --request <file>', 'YAML or JSON file that describes a request, or - for stdin')
    .option('-e, --events <number>', 'replay the last events of the audit stream')
    .option('--rules <file>', 'rules to try in the place of those at --app, --provider, --secret or --agent, or else of the grant');
  perform<TestOptions>(testing, runtime, test);
  const explaining = declare(group, 'explain <request-id>', 'Say which rule refused a recorded request, and what would pass.', [
    'alter-proxy policy explain 6f1c2d3e-7b1a-4c52-9a53-0d6f2b1c7e88',
  ]);
  perform(explaining, runtime, async (session, _options, [id = '']) => await explainRequest(session, id));
}
