/** A linear scale whose ends and ticks are round numbers. */

/** Maps values to pixels: `at(value)`; `ticks` are round, about `count` of them, and zero is always inside. */
export function linearScale(values, { from, to, count = 5 }) {
  let low = Math.min(0, ...values);
  let high = Math.max(0, ...values);
  if (low === high) high = 1;
  const step = roundStep((high - low) / count);
  low = Math.floor(low / step) * step;
  high = Math.ceil(high / step - 1e-9) * step;
  const ticks = [];
  for (let index = 0; index <= Math.round((high - low) / step); index++) ticks.push(clean(low + index * step));
  return { ticks, at: (value) => from + ((value - low) / (high - low)) * (to - from) };
}

function roundStep(raw) {
  const power = 10 ** Math.floor(Math.log10(raw));
  const factor = [1, 2, 2.5, 5, 10].find((candidate) => candidate * power >= raw * (1 - 1e-9));
  return factor * power;
}

function clean(value) {
  return Number(value.toPrecision(12));
}
