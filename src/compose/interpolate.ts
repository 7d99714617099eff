export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Compose's interpolation: `$NAME`, `${NAME}`, `${NAME:-default}`, `${NAME-default}`, `${NAME:?message}`, `${NAME:+other}`,
 * `$$` for a dollar. Throws with the message of `:?`, or when the syntax is broken.
 */
export function interpolate(text: string, environment: Environment): string {
  return text.replace(
    /\$(?:(\$)|([A-Za-z_]\w*)|\{([A-Za-z_]\w*)(?:(:?[-?+])([^}]*))?\}|)/g,
    (whole, dollar, plain, name, operator, word) => {
      if (dollar !== undefined) return '$';
      if (plain !== undefined) return environment[plain] ?? '';
      if (name === undefined) throw new Error(`${JSON.stringify(whole)} is no variable; write $$ for a dollar`);
      return expand(environment[name], name, operator ?? '', word ?? '');
    },
  );
}

function expand(value: string | undefined, name: string, operator: string, word: string): string {
  const missing = operator.startsWith(':') ? !value : value === undefined;
  switch (operator.replace(':', '')) {
    case '-':
      return missing ? word : (value ?? '');
    case '+':
      return missing ? '' : word;
    case '?':
      if (missing) throw new Error(`the variable ${name} is needed: ${word}`);
      return value ?? '';
    default:
      return value ?? '';
  }
}
