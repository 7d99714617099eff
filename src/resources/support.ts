import { shapeOf } from '../yaml/readers.js';
import type { Shape } from '../yaml/shape.js';
import { KINDS, PASSED_KINDS } from './kinds.js';
import type { Kind } from './resource.js';

const DIALECTS = {
  istio: 'Istio',
  'gateway-api': 'Gateway API',
  linkerd: 'Linkerd',
  consul: 'Consul',
  kubernetes: 'Kubernetes',
  sandbox: 'Our own',
} as const;

/** A field of a kind, by its way from the top: `spec.http[].route[].weight`. */
export interface SupportedField {
  readonly path: string;
  /** What it takes: `text`, `one of A, B`, `number from 0 to 100`. */
  readonly takes: string;
  /** Why it is not obeyed; '' = it is. */
  readonly unsupported: string;
}

/** Every field of a kind that its reader knows, in its order. */
export function fieldsOf(kind: Kind): SupportedField[] {
  return fieldsIn(shapeOf(kind.spec), kind.body === 'spec' ? 'spec' : '');
}

function fieldsIn(shape: Shape, path: string): SupportedField[] {
  switch (shape.kind) {
    case 'table':
      return Object.entries(shape.fields).flatMap(([key, of]) => fieldsIn(of, path === '' ? key : `${path}.${key}`));
    case 'list':
      return nested(shape.of) ? fieldsIn(shape.of, `${path}[]`) : [leaf(`${path}[]`, shape.of)];
    case 'record':
      return nested(shape.of) ? fieldsIn(shape.of, `${path}.*`) : [leaf(`${path}.*`, shape.of)];
    case 'either': {
      const long = shape.of.find(nested);
      return [leaf(path, shape), ...(long === undefined ? [] : fieldsIn(long, path))];
    }
    default:
      return [leaf(path, shape)];
  }
}

function nested(shape: Shape): boolean {
  return shape.kind === 'table' || ((shape.kind === 'list' || shape.kind === 'record') && nested(shape.of));
}

function leaf(path: string, shape: Shape): SupportedField {
  return { path, takes: takes(shape), unsupported: shape.kind === 'unsupported' ? shape.why : '' };
}

function takes(shape: Shape): string {
  switch (shape.kind) {
    case 'any':
      return 'anything, unread';
    case 'flag':
      return 'true or false';
    case 'number':
      return numberWords(shape);
    case 'text':
      return shape.words === null
        ? shape.format || 'text'
        : `one of ${shape.words.filter((word) => word !== '').join(', ')}`;
    case 'either':
      return [...new Set(shape.of.map(takes))].join(', or ');
    case 'list':
      return `a list of ${takes(shape.of)}`;
    case 'record':
      return `a mapping to ${takes(shape.of)}`;
    case 'table':
      return 'a mapping';
    case 'unsupported':
      return '';
  }
}

function numberWords({ whole, least, most }: Extract<Shape, { kind: 'number' }>): string {
  const what = whole ? 'whole number' : 'number';
  if (least === null || most === null || most >= 2 ** 31 || least < -999) return what;
  return `${what} from ${least} to ${most}`;
}

/** What each dialect supports, as Markdown, made of the readers themselves. */
export function supportText(): string {
  const parts = [
    '# What each dialect supports',
    'Made of the readers themselves (`src/resources/support.ts`); a test keeps it current. What is not listed is refused with its line; what is known and not obeyed is told when it is read.',
  ];
  for (const [dialect, title] of Object.entries(DIALECTS)) {
    const kinds = KINDS.filter((kind) => kind.dialect === dialect);
    if (kinds.length === 0) continue;
    parts.push(`## ${title}`, ...kinds.flatMap(kindText));
  }
  const passed = Object.entries(PASSED_KINDS).map(
    ([kind, why]) => `| ${kind.replace(/^\//, '')} | ${why || 'nothing in it concerns a mesh'} |`,
  );
  parts.push('## Read over', ['| kind | why |', '|---|---|', ...passed].join('\n'));
  return `${parts.join('\n\n')}\n`;
}

function kindText(kind: Kind): string[] {
  const versions = kind.versions.map((version) => [kind.group, version].filter((part) => part !== '').join('/'));
  const fields = fieldsOf(kind);
  const rows = fields.map(
    ({ path, takes: what, unsupported }) =>
      `| \`${path}\` | ${unsupported === '' ? escaped(what) : `**not obeyed**: ${escaped(unsupported)}`} |`,
  );
  const table =
    rows.length === 0
      ? 'Only its name and labels are looked at.'
      : ['| field | takes |', '|---|---|', ...rows].join('\n');
  return [`### ${kind.kind}`, `\`${versions.join('`, `')}\``, table];
}

function escaped(text: string): string {
  return text.replaceAll('|', '\\|');
}
