import { type Flavor, flavorOf } from '../model/flavor.js';
import { SandboxError } from '../runtime/runtime.js';

/** A text as a sandbox's name: lower-case letters, digits and dashes. */
export function safeName(name: string): string {
  return (
    name
      .toLowerCase()
      .replace(/[^a-z0-9-]+/g, '-')
      .replace(/^-+|-+$/g, '')
      .slice(0, 40) || 'app'
  );
}

/** The mesh that is meant by `istio`, `linkerd`, `consul` or `istio@1.23`. Throws SandboxError that says what there is. */
export function flavorNamed(text: string): Flavor {
  try {
    return flavorOf(text);
  } catch (error) {
    throw new SandboxError((error as Error).message);
  }
}
