export type Environment = Readonly<Record<string, string | undefined>>;

/** Deepest nesting of `${A:-${B:-…}}`. */
const NESTING = 8;

/**
 * Compose's interpolation: `$NAME`, `${NAME}`, `${NAME:-default}`, `${NAME-default}`, `${NAME:?message}`, `${NAME:+other}`,
 * `$$` for a dollar; words may hold variables in turn. Throws with the message of `?`, or when the syntax is broken.
 */
export function interpolate(text: string, environment: Environment, depth = 0): string {
  if (depth > NESTING) throw new Error(`variables are nested deeper than ${NESTING} levels`);
  const simple = /\$(?:\$|[A-Za-z_]\w*)/y;
  let out = '';
  let i = 0;
  for (let dollar = text.indexOf('$'); dollar >= 0; dollar = text.indexOf('$', i)) {
    out += text.slice(i, dollar);
    simple.lastIndex = dollar;
    const found = simple.exec(text)?.[0];
    const length = found?.length ?? bracedLength(text, dollar);
    if (found === '$$') out += '$';
    else if (found !== undefined) out += ownValue(found.slice(1), environment) ?? '';
    else out += braced(text.slice(dollar + 2, dollar + length - 1), environment, depth);
    i = dollar + length;
  }
  return out + text.slice(i);
}

/** Length of `${…}` at `start`, braces of variables inside it counted. */
function bracedLength(text: string, start: number): number {
  if (text[start + 1] !== '{') throw new Error('a lone $ is no variable; write $$ for a dollar');
  for (let i = start + 2, open = 1; i < text.length; i++) {
    if (text[i] === '$' && text[i + 1] === '{') open++;
    else if (text[i] === '}' && --open === 0) return i - start + 1;
  }
  throw new Error('a variable that begins with ${ never ends; write $$ for a dollar');
}

function braced(inside: string, environment: Environment, depth: number): string {
  const match = /^([A-Za-z_]\w*)(?:(:?[-?+])(.*))?$/s.exec(inside);
  if (match === null) throw new Error(`\${${inside}} is no variable; write $$ for a dollar`);
  const [, name = '', operator = '', word = ''] = match;
  const value = ownValue(name, environment);
  const missing = operator.startsWith(':') ? !value : value === undefined;
  const expanded = (): string => interpolate(word, environment, depth + 1);
  switch (operator.at(-1)) {
    case '-':
      return missing ? expanded() : (value ?? '');
    case '+':
      return missing ? '' : expanded();
    case '?':
      if (missing) throw new Error(`the variable ${name} is needed${word === '' ? '' : `: ${word}`}`);
      return value ?? '';
    default:
      return value ?? '';
  }
}

/** Own values only: a variable may be called `constructor`. */
function ownValue(name: string, environment: Environment): string | undefined {
  return Object.hasOwn(environment, name) ? environment[name] : undefined;
}
