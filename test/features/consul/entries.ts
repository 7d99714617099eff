/** A CRD of Consul. */
export function entry(kind: string, name: string, spec: string): string {
  return `apiVersion: consul.hashicorp.com/v1alpha1\nkind: ${kind}\nmetadata: { name: ${name} }\nspec: ${spec}`;
}
