import { isIP } from 'node:net';
import { Findings } from '../../yaml/problems.js';
import { parseYamlDocuments } from '../../yaml/view.js';

/** Whether an annotation of Istio may say something, and what to write instead (istio pkg/kube/inject/validate.go). */
export interface Value {
  readonly isValid: (value: string) => boolean;
  readonly hint: string;
}

/** Whole and without a sign, as Go's ParseUint takes it. */
function isWhole(value: string, most: number): boolean {
  return /^\d+$/.test(value) && Number(value) <= most;
}

function isPort(value: string): boolean {
  return isWhole(value.trim(), 65_535);
}

/** An address with the length of its prefix, and no blanks around. */
function isCidr(value: string): boolean {
  const [, address = '', bits = ''] = /^([^/]*)\/(0|[1-9]\d{0,2})$/.exec(value) ?? [];
  const family = isIP(address);
  return family !== 0 && Number(bits) <= (family === 4 ? 32 : 128);
}

export const NUMBER: Value = { isValid: (value) => isWhole(value, 2 ** 32 - 1), hint: "a whole number, '10'" };
export const PORT: Value = { isValid: isPort, hint: "a port, '15021'" };
export const PORTS: Value = {
  isValid: (value) => value.trim() === '' || value.split(',').every(isPort),
  hint: "ports with commas, '8080,9090'",
};
export const CIDRS: Value = {
  isValid: (value) => value === '' || value.split(',').every(isCidr),
  hint: "ranges with commas and no spaces, '10.0.0.0/8,192.168.0.0/16'",
};
export const FLAG: Value = {
  isValid: (value) => /^(?:[01tTfF]|true|True|TRUE|false|False|FALSE)$/.test(value),
  hint: "'true' or 'false'",
};
export const MODE: Value = {
  isValid: (value) => ['REDIRECT', 'TPROXY', 'NONE'].includes(value),
  hint: 'REDIRECT, TPROXY or NONE',
};
/** What its fields may say is not looked at here. */
export const PROXY_CONFIG: Value = {
  isValid: (value) => {
    const findings = new Findings();
    const documents = parseYamlDocuments(value, '', findings) ?? [];
    return findings.problems.length === 0 && documents.every(({ view }) => view.kind === 'map' || view.kind === 'null');
  },
  hint: 'a mapping as text: \'{ "holdApplicationUntilProxyStarts": true }\'',
};

export function withStar({ isValid, hint }: Value): Value {
  return { isValid: (value) => value === '*' || isValid(value), hint: `'*' or ${hint}` };
}
