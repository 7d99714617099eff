import { stringify } from 'yaml';

/** A plain value as YAML. */
export function toYaml(value: unknown): string {
  return stringify(value, { lineWidth: 0 });
}
