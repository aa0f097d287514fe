import type { LogFields, Logger } from '@niobe/kernel';
import { pino, type Logger as Pino } from 'pino';
import type { LogLevel } from './variables.ts';

/** Where log lines go; standard output when absent. */
export interface LogSink {
  write(line: string): void;
}

/** A logger that writes one JSON line an event, with `component` and the time as ISO text, synchronously: a crash loses no line. */
export function pinoLogger(component: string, level: LogLevel, sink?: LogSink): Logger {
  const options = {
    level,
    base: { component },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  return adapt(sink === undefined ? pino(options) : pino(options, sink));
}

function adapt(target: Pino): Logger {
  return {
    debug: (fields: LogFields, message: string) => target.debug(fields, message),
    info: (fields: LogFields, message: string) => target.info(fields, message),
    warn: (fields: LogFields, message: string) => target.warn(fields, message),
    error: (fields: LogFields, message: string) => target.error(fields, message),
    child: (fields: LogFields) => adapt(target.child(fields)),
  };
}
