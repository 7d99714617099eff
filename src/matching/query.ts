/** Value of the first parameter of a name, as it was sent; null when there is none. */
export function parameterOf(target: string, name: string): string | null {
  let start = target.indexOf('?') + 1;
  if (start === 0) return null;
  while (start <= target.length) {
    const next = target.indexOf('&', start);
    const end = next < 0 ? target.length : next;
    const equals = target.indexOf('=', start);
    const nameEnd = equals < 0 || equals > end ? end : equals;
    if (target.slice(start, nameEnd) === name) return target.slice(Math.min(nameEnd + 1, end), end);
    start = end + 1;
  }
  return null;
}
