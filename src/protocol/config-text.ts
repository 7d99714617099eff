import type { SidecarConfig } from '../model/sidecar-config.js';

const texts = new WeakMap<object, string>();

/** A value that never changes, as JSON: what many are told becomes text once for all of them. */
export function textOf(value: object): string {
  let text = texts.get(value);
  if (text === undefined) {
    text = JSON.stringify(value);
    texts.set(value, text);
  }
  return text;
}

/** A configuration as JSON. */
export function configText({ outbound, ...rest }: SidecarConfig): string {
  return `${JSON.stringify(rest).slice(0, -1)},"outbound":${textOf(outbound)}}`;
}

/** Whether two configurations say the same, whatever their versions. */
export function saysTheSame(a: SidecarConfig, b: SidecarConfig): boolean {
  const { outbound: ofA, ...restA } = a;
  const { outbound: ofB, ...restB } = b;
  if (ofA !== ofB && textOf(ofA) !== textOf(ofB)) return false;
  return JSON.stringify({ ...restA, version: 0 }) === JSON.stringify({ ...restB, version: 0 });
}
