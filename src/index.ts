/** Runs a proxy inside another program: what `alter-proxy start` does, without argv, signals and a process of its own. */
export { startProxy } from './app.ts';
export type { ListenAddress, RunningProxy, StartOptions } from './app.ts';
export { loadConfig } from './config/load.ts';
export type { Config } from './config/config.ts';
export { AlterError, CommandError } from './errors.ts';
export type { CommandCode, WireCode } from './errors.ts';
export type { ChangeEvent } from './audit/change.ts';
export type { AuditEvent } from './audit/event.ts';
export { createLogger } from './log.ts';
export type { Logger } from './log.ts';
export { Secret } from './secret/secret.ts';
