import type { Scope, ServiceSpec } from './spec.ts';

/** What starts our service, and keeps it up. All throw SERVICE_FAILED. */
export interface ServiceManager {
  readonly name: 'systemd' | 'launchd';
  readonly scope: Scope;
  readonly unit: string;
  /** Where its unit or plist is. */
  readonly file: string;
  /** The command that shows the log of the service. */
  readonly logCommand: string;
  /** Its version, as a number. Throws SERVICE_UNAVAILABLE when it cannot be asked. */
  version(): Promise<number>;
  text(spec: ServiceSpec): string;
  /** Takes notice of a file that was written or removed. */
  load(): Promise<void>;
  isActive(): Promise<boolean>;
  /** It starts by itself after a boot or login; null when nobody says. */
  isEnabled(): Promise<boolean | null>;
  enable(): Promise<void>;
  /** Resolves when it is started, by systemd-notify ready too. */
  start(): Promise<void>;
  restart(): Promise<void>;
  stop(): Promise<void>;
  /** Stops it, for good. What is not there is fine. */
  disable(): Promise<void>;
}
