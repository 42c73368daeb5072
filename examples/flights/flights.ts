import { readFileSync } from 'node:fs';

/** One flight as the U.S. Bureau of Transportation Statistics recorded it. */
export interface Flight {
  /** Local time, `2001/01/01 00:47`: sorts as text. */
  readonly date: string;
  /** Minutes; negative: early. */
  readonly delay: number;
  /** Miles. */
  readonly distance: number;
  /** Airport codes. */
  readonly origin: string;
  readonly destination: string;
}

/** 20,000 flights of the first quarter of 2001, from 220 airports, in order of time. */
export function loadFlights(): Flight[] {
  // The package exports only its code; the data lies beside it.
  const data = new URL('../data/flights-20k.json', import.meta.resolve('vega-datasets'));
  return JSON.parse(readFileSync(data, 'utf8')) as Flight[];
}

/** How the archive writes a flight. */
export function lineOf({ date, origin, destination, distance, delay }: Flight): string {
  return `${date},${origin},${destination},${distance},${delay}`;
}
