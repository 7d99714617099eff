/** The host of `host[:port]`, without the port; keeps the brackets of IPv6. */
export function hostName(authority: string): string {
  const colon = authority.lastIndexOf(':');
  return colon < 0 || authority.endsWith(']') ? authority : authority.slice(0, colon);
}
