import { SETTINGS } from '../env/settings.ts';
import type { Reading } from '../env/variables.ts';

// A service on every address is also on the loopback ones, and only those are sure to be this machine.
const WILDCARDS: readonly string[] = ['0.0.0.0', '::'];

/** Where the service of this machine is reached from here, by HOST and PORT. */
export function localServiceUrl(host: Reading<string>, port: Reading<number>): string {
  const name = host.kind === 'value' && !WILDCARDS.includes(host.value) ? host.value : 'localhost';
  const number = port.kind === 'value' ? port.value : SETTINGS.port.whenUnset.value;
  return `http://${name.includes(':') ? `[${name}]` : name}:${number}`;
}
