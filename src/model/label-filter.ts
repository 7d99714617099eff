import { RE2JS } from 're2js';

/** Which workloads a filter chooses, by their labels (the part of Consul's filter expressions that is about `Service.Meta`). */
export type LabelFilter =
  | { readonly kind: 'all' | 'any'; readonly of: readonly LabelFilter[] }
  | { readonly kind: 'not'; readonly of: LabelFilter }
  | { readonly kind: 'equals' | 'contains' | 'matches'; readonly label: string; readonly value: string }
  /** It is there, and not empty. */
  | { readonly kind: 'filled'; readonly label: string }
  | { readonly kind: 'present'; readonly label: string };

/** A label that is missing equals nothing and contains nothing; `matches` is RE2, anywhere in it. */
export function fits(filter: LabelFilter, labels: Readonly<Record<string, string>>): boolean {
  switch (filter.kind) {
    case 'all':
      return filter.of.every((one) => fits(one, labels));
    case 'any':
      return filter.of.some((one) => fits(one, labels));
    case 'not':
      return !fits(filter.of, labels);
    case 'equals':
      return labels[filter.label] === filter.value;
    case 'contains':
      return labels[filter.label]?.includes(filter.value) ?? false;
    case 'matches':
      return RE2JS.compile(filter.value)
        .matcher(labels[filter.label] ?? '')
        .find();
    case 'filled':
      return (labels[filter.label] ?? '') !== '';
    case 'present':
      return labels[filter.label] !== undefined;
  }
}
