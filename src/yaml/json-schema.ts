import type { Shape } from './shape.js';

export type JsonSchema = { readonly [key: string]: unknown };

/** What a reader takes, as JSON Schema (draft 2020-12), for editors. */
export function jsonSchemaOf(shape: Shape): JsonSchema {
  switch (shape.kind) {
    case 'any':
      return {};
    case 'flag':
      return { type: 'boolean' };
    case 'number':
      return {
        type: shape.whole ? 'integer' : 'number',
        ...(shape.least === null ? {} : { minimum: shape.least }),
        ...(shape.most === null ? {} : { maximum: shape.most }),
      };
    case 'text':
      return textSchema(shape);
    case 'list':
      return { type: 'array', items: jsonSchemaOf(shape.of) };
    case 'record':
      return { type: 'object', additionalProperties: jsonSchemaOf(shape.of) };
    case 'either':
      return { anyOf: shape.of.map(jsonSchemaOf) };
    case 'unsupported':
      return { description: `not obeyed: ${shape.why}`, deprecated: true };
    case 'table':
      return {
        type: 'object',
        properties: Object.fromEntries(Object.entries(shape.fields).map(([key, of]) => [key, jsonSchemaOf(of)])),
        additionalProperties: false,
        ...(shape.required.length === 0 ? {} : { required: [...shape.required] }),
        ...(shape.one ? { minProperties: 1, maxProperties: 1 } : {}),
      };
  }
}

/** YAML makes numbers and truth values of some texts, and readers take them as they were written. */
function textSchema({ words, format }: Extract<Shape, { kind: 'text' }>): JsonSchema {
  const about = format === '' ? {} : { description: format };
  if (words !== null) return { enum: [...words], ...about };
  return { type: ['string', 'number', 'boolean'], ...about };
}

/** A whole Kubernetes-style object of a kind. */
export function objectSchema(apiVersion: string, kind: string, spec: Shape): JsonSchema {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: kind,
    type: 'object',
    properties: {
      apiVersion: { const: apiVersion },
      kind: { const: kind },
      metadata: {
        type: 'object',
        properties: {
          name: { type: 'string' },
          namespace: { type: 'string' },
          labels: { type: 'object', additionalProperties: { type: 'string' } },
          annotations: { type: 'object', additionalProperties: { type: 'string' } },
        },
        required: ['name'],
      },
      spec: jsonSchemaOf(spec),
    },
    required: ['apiVersion', 'kind', 'metadata', 'spec'],
    additionalProperties: false,
  };
}
