import type { Command } from 'commander';
import type { AgentAdministration } from '../../vault/agents.ts';
import type { AgentRecord } from '../../vault/records.ts';
import { confirmByName } from '../confirm.ts';
import { declare, declareGroup, perform, type Runtime } from '../command.ts';
import { formatInstant, isoInstant } from '../duration.ts';
import type { Cell, Output, Style } from '../output.ts';
import type { Session } from '../session.ts';
import { addAgentPermissions } from './agent-permissions.ts';

const STATUS_STYLES: Readonly<Record<AgentRecord['status'], Style>> = { active: 'green', paused: 'yellow', deleted: 'red' };

function forPrograms(agent: AgentRecord): Record<string, unknown> {
  return {
    name: agent.id,
    app: agent.app,
    description: agent.description ?? null,
    status: agent.status,
    mayIssue: agent.mayIssue,
    createdAt: isoInstant(agent.createdAt),
    updatedAt: isoInstant(agent.updatedAt),
  };
}

function paintedStatus(output: Output, { status }: AgentRecord): Cell {
  return { painted: output.paint(STATUS_STYLES[status], status) };
}

async function list(session: Session, all: boolean): Promise<void> {
  const { output } = session;
  const now = Date.now();
  const agents = (await (await session.administration()).agents.list()).filter(({ status }) => all || status !== 'deleted');
  output.result(agents.map(forPrograms), () => {
    if (agents.length === 0) return 'No agents. Create one with: alter-proxy agent create <name>';
    return output.table(
      ['name', 'description', 'created', 'status'],
      agents.map((agent) => [agent.id, agent.description ?? '', formatInstant(agent.createdAt, now), paintedStatus(output, agent)]),
    );
  });
}

async function show(session: Session, name: string): Promise<void> {
  const { output } = session;
  const administration = await session.administration();
  const agent = await administration.agents.show(name);
  const keys = (await administration.listKeys()).filter((key) => key.agent === name && key.status !== 'revoked');
  const now = Date.now();
  output.result({ ...forPrograms(agent), keys: keys.map((key) => ({ name: key.name, prefix: key.prefix, status: key.status })) }, () =>
    output.facts([
      ['name', agent.id],
      ['app', agent.app],
      ['description', agent.description],
      ['status', paintedStatus(output, agent)],
      ['keys', keys.length === 0 ? 'none' : keys.map((key) => `${key.name} (${key.prefix}…)`).join(', ')],
      ['created', formatInstant(agent.createdAt, now)],
      ['changed', formatInstant(agent.updatedAt, now)],
    ]),
  );
}

type Change = (agents: AgentAdministration, name: string) => Promise<AgentRecord>;

function addChange(group: Command, runtime: Runtime, verb: 'pause' | 'resume', description: string, done: string, change: Change): void {
  const command = declare(group, `${verb} <name>`, description, [`alter-proxy agent ${verb} reporter`]);
  perform(command, runtime, async (session, _options, [name = '']) => {
    const agent = await change((await session.administration()).agents, name);
    session.output.result(forPrograms(agent), () => `${done} agent ${agent.id}`);
    return 0;
  });
}

function addDelete(group: Command, runtime: Runtime): void {
  const description = 'Delete an agent and revoke its keys. Its name is not free again.';
  const deleting = declare(group, 'delete <name>', description, ['alter-proxy agent delete reporter --yes']);
  perform<{ readonly yes?: boolean }>(deleting.option('-y, --yes', 'do not ask'), runtime, async (session, options, [name = '']) => {
    const { agents } = await session.administration();
    await agents.show(name);
    if (options.yes !== true) await confirmByName(session.terminal, `The keys of the agent ${name} stop working, for good.`, name);
    const agent = await agents.delete(name);
    session.output.result(forPrograms(agent), () => `Deleted agent ${agent.id} and revoked its keys`);
    return 0;
  });
}

/** The commands of `agent`. */
export function addAgentCommands(program: Command, runtime: Runtime): void {
  const group = declareGroup(program, 'agent', 'Named workloads of the app, each with keys of its own');
  const creating = declare(group, 'create <name>', 'Create an agent. Its name never changes.', [
    'alter-proxy agent create reporter',
    "alter-proxy agent create mail-sorter --description 'sorts the support inbox'",
  ]).option('--description <text>', 'what it does');
  perform<{ readonly description?: string }>(creating, runtime, async (session, options, [name = '']) => {
    const agent = await (await session.administration()).agents.create({ name, ...options });
    session.output.result(forPrograms(agent), () => `Created agent ${agent.id}`);
    session.output.note(`Give it a key with: alter-proxy key create <key name> --agent ${agent.id}`);
    return 0;
  });
  const listing = declare(group, 'list', 'List the agents of the app.', ['alter-proxy agent list', 'alter-proxy agent list --all']);
  perform<{ readonly all?: boolean }>(listing.option('-a, --all', 'also deleted ones'), runtime, async (session, options) => {
    await list(session, options.all === true);
    return session.listed();
  });
  const showing = declare(group, 'show <name>', 'Show an agent and its keys.', ['alter-proxy agent show reporter']);
  perform(showing, runtime, async (session, _options, [name = '']) => {
    await show(session, name);
    return 0;
  });
  addChange(group, runtime, 'pause', 'Pause an agent; its next request is refused.', 'Paused', (agents, name) => agents.pause(name));
  addChange(group, runtime, 'resume', 'Let a paused agent work again.', 'Resumed', (agents, name) => agents.resume(name));
  addDelete(group, runtime);
  addAgentPermissions(group, runtime);
}
