/** Figures as the screens write them: few digits, the same width for the same meaning. */

export function rate(perSecond: number): string {
  if (!Number.isFinite(perSecond)) return '-';
  return perSecond >= 100 ? perSecond.toFixed(0) : perSecond.toFixed(1);
}

/** 99.96 % is not 100 %: only a perfect share is written so. */
export function percent(share: number | null): string {
  if (share === null || !Number.isFinite(share)) return '-';
  if (share >= 1) return '100%';
  const value = share * 100;
  return value > 99.9
    ? '99.9%'
    : value >= 99
      ? `${(Math.floor(value * 10) / 10).toFixed(1)}%`
      : `${Math.round(value)}%`;
}

export function millis(ms: number): string {
  if (!Number.isFinite(ms)) return '-';
  if (ms < 10) return `${ms.toFixed(1)}ms`;
  return ms < 10_000 ? `${Math.round(ms)}ms` : `${(ms / 1000).toFixed(1)}s`;
}

export function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1024 / 1024)}M`;
}

/** A span of time in its two largest units. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const [days, hours, minutes] = [
    Math.floor(seconds / 86_400),
    Math.floor(seconds / 3600) % 24,
    Math.floor(seconds / 60) % 60,
  ];
  const two = (value: number): string => String(value).padStart(2, '0');
  if (days > 0) return `${days}d${two(hours)}h`;
  if (hours > 0) return `${hours}h${two(minutes)}m`;
  return minutes > 0 ? `${minutes}m${two(seconds % 60)}s` : `${seconds}s`;
}

/** Local time of day. */
export function timeOfDay(epochMs: number): string {
  const date = new Date(epochMs);
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map((part) => String(part).padStart(2, '0')).join(':');
}
