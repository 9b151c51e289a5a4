/** Numbers, durations and times as people read them, in the language of the browser. */

const integer = new Intl.NumberFormat();
const compact = new Intl.NumberFormat(undefined, { notation: "compact", maximumFractionDigits: 1 });
const decimals = [0, 2, 4].map((digits) => new Intl.NumberFormat(undefined, { maximumFractionDigits: digits }));
const clock = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit" });
const day = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const plainDay = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "long", year: "numeric", timeZone: "UTC" });
const wholeDay = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", year: "numeric" });

/** `1234567` as `1,234,567`. */
export function formatInteger(value) {
  return integer.format(value);
}

/** `1234567` as `1.2M`. */
export function formatCompact(value) {
  return compact.format(value);
}

/** A figure with as many decimals as its size deserves. */
export function formatFigure(value) {
  const size = Math.abs(value);
  if (size >= 10_000 || Number.isInteger(value)) return decimals[0].format(value);
  return decimals[size >= 0.1 ? 1 : 2].format(value);
}

/** Milliseconds as `0 ms`, `340 ms`, `1.2 s`, `2 min 5 s`. */
export function formatDuration(ms) {
  if (!Number.isFinite(ms)) return "";
  if (ms < 1) return "< 1 ms";
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0)} s`;
  return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`;
}

/** Bytes as `812 B`, `3.4 MB`. */
export function formatBytes(bytes) {
  if (bytes < 1000) return `${bytes} B`;
  if (bytes < 1_000_000) return `${(bytes / 1000).toFixed(0)} kB`;
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}

/** An RFC 3339 time as the clock today, the day before that. */
export function formatWhen(time, now = new Date()) {
  const at = new Date(time);
  if (Number.isNaN(at.getTime())) return "";
  if (at.toDateString() === now.toDateString()) return clock.format(at);
  return (at.getFullYear() === now.getFullYear() ? day : wholeDay).format(at);
}

/** A day without a time, `2026-10-02`, in words. */
export function formatDay(day) {
  return plainDay.format(new Date(day));
}

/** `1 step`, `2 steps`. */
export function formatCount(count, one, many = `${one}s`) {
  return `${formatInteger(count)} ${count === 1 ? one : many}`;
}
