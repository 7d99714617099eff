/** Which rows of a long list are on screen: the chosen one in the middle, no empty space at either end. */
export function viewport(
  total: number,
  selected: number,
  height: number,
): { readonly from: number; readonly to: number } {
  const rows = Math.max(0, height);
  const from = Math.max(0, Math.min(selected - Math.floor(rows / 2), total - rows));
  return { from, to: Math.min(total, from + rows) };
}
