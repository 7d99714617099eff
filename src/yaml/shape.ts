/**
 * What a reader takes, as data: documentation and JSON Schemas are made of it, so that they say what the readers do.
 */
export type Shape =
  | { readonly kind: 'any' }
  | { readonly kind: 'text'; readonly words: readonly string[] | null; readonly format: string }
  | { readonly kind: 'number'; readonly whole: boolean; readonly least: number | null; readonly most: number | null }
  | { readonly kind: 'flag' }
  | { readonly kind: 'list'; readonly of: Shape }
  | { readonly kind: 'record'; readonly of: Shape }
  | { readonly kind: 'either'; readonly of: readonly Shape[] }
  | {
      readonly kind: 'table';
      readonly fields: Readonly<Record<string, Shape>>;
      readonly required: readonly string[];
      /** Exactly one of the fields. */
      readonly one?: true;
    }
  /** Known, and not obeyed; `why` is told to whoever writes it. */
  | { readonly kind: 'unsupported'; readonly why: string };

export const ANY: Shape = { kind: 'any' };

export function textShape(format = '', words: readonly string[] | null = null): Shape {
  return { kind: 'text', words, format };
}
