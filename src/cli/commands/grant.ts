import type { Command } from 'commander';
import { declareGroup, type Runtime } from '../command.ts';
import { addGrantChanges } from './grant-change.ts';
import { addGrantIssue } from './grant-issue.ts';
import { addGrantListAndShow } from './grant-list.ts';
import { addGrantRequest } from './grant-request.ts';
import { addGrantSuccessors } from './grant-successors.ts';

/** The commands of `grant`, in the order of a grant's life. */
export function addGrantCommands(program: Command, runtime: Runtime): void {
  const group = declareGroup(program, 'grant', 'Access to a secret: an id that a workload names, not a credential');
  addGrantIssue(group, runtime);
  addGrantListAndShow(group, runtime);
  addGrantChanges(group, runtime);
  addGrantSuccessors(group, runtime);
  addGrantRequest(group, runtime);
}
