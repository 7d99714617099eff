import { EXTENSION_SHAPE } from '../compose/extension.js';
import { SERVICE_EXTENSION_SHAPE } from '../compose/service-extension.js';
import { SUITE_SHAPE } from '../policy-test/suite.js';
import { fault } from '../resources/sandbox/fault.js';
import { rateLimit } from '../resources/sandbox/rate-limit.js';
import { type JsonSchema, jsonSchemaOf, objectSchema } from '../yaml/json-schema.js';
import { shapeOf } from '../yaml/readers.js';

const DRAFT = 'https://json-schema.org/draft/2020-12/schema';
const COMPOSE = 'https://raw.githubusercontent.com/compose-spec/compose-spec/main/schema/compose-spec.json';

/** Every schema that is given out, by its name. */
export function schemas(): Readonly<Record<string, JsonSchema>> {
  return {
    fault: objectSchema('mesh-sandbox.dev/v1', 'Fault', shapeOf(fault)),
    'rate-limit': objectSchema('mesh-sandbox.dev/v1', 'RateLimit', shapeOf(rateLimit)),
    'policy-test': { $schema: DRAFT, title: 'PolicyTest', ...jsonSchemaOf(SUITE_SHAPE) },
    compose: {
      $schema: DRAFT,
      title: 'Compose file with x-mesh',
      allOf: [{ $ref: COMPOSE }],
      properties: {
        services: {
          type: 'object',
          additionalProperties: { type: 'object', properties: { 'x-mesh': jsonSchemaOf(SERVICE_EXTENSION_SHAPE) } },
        },
        'x-mesh': jsonSchemaOf(EXTENSION_SHAPE),
      },
    },
  };
}
