import { RE2JS } from 're2js';
import type { TextMatch } from '../model/route.js';

export type TextTest = (text: string) => boolean;

/** Longest expression that a configuration may have, characters (Istio's limit for them). */
const EXPRESSION_LIMIT = 1024;

/**
 * An RE2 expression, as Istio and Envoy have them: no back-tracking, so that no request can make it slow. Throws an Error
 * that names the expression when it is none.
 */
export function expression(pattern: string, flags = 0): RE2JS {
  if (pattern.length > EXPRESSION_LIMIT)
    throw new Error(`a regular expression is longer than ${EXPRESSION_LIMIT} characters`);
  try {
    return RE2JS.compile(pattern, flags);
  } catch (error) {
    throw new Error(
      `${JSON.stringify(pattern)} is no RE2 expression: ${error instanceof Error ? error.message : error}`,
      {
        cause: error,
      },
    );
  }
}

/** What tells whether a text is as the rule wants it. Throws when the rule's expression is none. */
export function textTest({ kind, value }: TextMatch): TextTest {
  switch (kind) {
    case 'exact':
      return (text) => text === value;
    case 'prefix':
      return (text) => text.startsWith(value);
    case 'suffix':
      return (text) => text.endsWith(value);
    case 'contains':
      return (text) => text.includes(value);
    case 'present':
      return () => true;
    case 'regex': {
      const compiled = expression(value);
      return (text) => compiled.testExact(text);
    }
  }
}
