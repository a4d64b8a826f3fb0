import { join } from 'node:path';

/** The diagnostic log of the supervisor. Not the audit: it may be lost, rotated or switched off. */
export interface Diagnostics {
  info(message: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
  error(message: string, fields?: Readonly<Record<string, unknown>>): void;
  /** Resolves when everything is written; call it before the process ends, or lines are lost. */
  close(): Promise<void>;
}

/** JSON lines to `supervisor.log` in the folder, 5 MB a file, five files. */
export async function openDiagnostics(folder: string): Promise<Diagnostics> {
  const { default: winston } = await import('winston');
  const transport = new winston.transports.File({
    filename: join(folder, 'supervisor.log'),
    maxsize: 5 * 1024 * 1024,
    maxFiles: 5,
    tailable: true,
    options: { flags: 'a', mode: 0o600 },
  });
  const logger = winston.createLogger({
    level: 'info',
    format: winston.format.combine(winston.format.timestamp(), winston.format.json()),
    transports: [transport],
  });
  return {
    info: (message, fields = {}) => void logger.info(message, fields),
    warn: (message, fields = {}) => void logger.warn(message, fields),
    error: (message, fields = {}) => void logger.error(message, fields),
    close: () =>
      new Promise((resolve) => {
        transport.once('finish', () => resolve());
        logger.end();
      }),
  };
}
