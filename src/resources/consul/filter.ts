/** What a subset's filter says, as labels; a text = why it is not understood. */
export function labelsOf(filter: string): Readonly<Record<string, string>> | string {
  const labels: Record<string, string> = {};
  for (const part of filter.trim().split(/\s+and\s+/i)) {
    const match = EQUALS.exec(part.trim());
    if (match === null)
      return `${JSON.stringify(part.trim())} is not understood; Service.Meta.version == v1, joined by and, is`;
    const [, dotted, quoted, , plain = '', text] = match;
    labels[dotted ?? quoted ?? ''] = text ?? plain;
  }
  return labels;
}

/** `Service.Meta.version == v1`, `Service.Meta["version"] == "v1"` */
const EQUALS = /^Service\.Meta(?:\.([\w-]+)|\[["']([^"'\]]+)["']\])\s*(==)\s*(?:([\w.-]+)|["']([^"']*)["'])$/;
