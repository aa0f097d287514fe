export { readConfiguration, type ConfigSchema, type Environment } from './configuration.ts';
export { EXIT } from './exit-codes.ts';
export { Health, type Readiness } from './health.ts';
export { HttpServer, type HttpServerOptions, type Routes } from './http-server.ts';
export { parseJson, parseJsonText } from './json.ts';
export { keepTrying, type Patience } from './keep-trying.ts';
export { pinoLogger, type LogSink } from './pino-logger.ts';
export { SERVICE_PROCESS_FLAGS } from './process-flags.ts';
export { PROBLEM_TYPE, problemOf, type Problem } from './problem.ts';
export { PrometheusMeter } from './prometheus-meter.ts';
export {
  DRAIN_DEADLINE_MS,
  runService,
  type RunningService,
  type ServiceDefinition,
  type ServiceHost,
} from './run-service.ts';
export {
  bytesVariable,
  hostVariables,
  namesVariable,
  portVariable,
  type HostVariables,
  type LogLevel,
} from './variables.ts';
