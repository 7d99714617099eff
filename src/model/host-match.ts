/** Whether a host of a policy (`*`, `*.example.com`, a full name) means a full host name. */
export function hostMatches(pattern: string, host: string): boolean {
  if (pattern === '*') return true;
  return pattern.startsWith('*') ? host.length >= pattern.length && host.endsWith(pattern.slice(1)) : pattern === host;
}
