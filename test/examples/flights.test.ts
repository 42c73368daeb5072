import { describe, expect, test } from 'vitest';
import { type Delays, withFlight } from '../../examples/flights/delays.js';
import { type Flight, loadFlights } from '../../examples/flights/flights.js';
import { archive, delaysByAirport, liveBoard } from '../../examples/flights/plain-loops.js';

const flights = loadFlights();
const airports = [...new Set(flights.map(({ origin }) => origin))];

test('the flights are there, whole and in order of time', () => {
  expect(flights).toHaveLength(20_000);
  expect(airports).toHaveLength(220);
  const whole = ({ date, delay, distance, origin, destination }: Flight): boolean =>
    /^2001\/0[123]\/\d\d \d\d:\d\d$/.test(date) &&
    [delay, distance].every(Number.isInteger) &&
    [origin, destination].every((airport) => /^[A-Z]{3}$/.test(airport));
  expect(flights.filter((flight) => !whole(flight))).toEqual([]);
  expect(flights.filter(({ date }, n) => n > 0 && date < flights[n - 1]!.date)).toEqual([]);
});

describe('delays', () => {
  const after = (all: readonly Flight[]): Delays | undefined => {
    let delays: Delays | undefined;
    for (const flight of all) delays = withFlight(delays, flight);
    return delays;
  };
  const ofMinutes = (...delays: number[]) => after(delays.map((delay) => ({ ...flights[0]!, delay })));

  test('count what is late and rows of it, and follow the trend', () => {
    expect(ofMinutes()).toBeUndefined();
    expect(ofMinutes(64)).toEqual({ flights: 1, late: 1, trend: 1, row: 1, longestRow: 1 });
    expect(ofMinutes(64, 65)).toEqual({ flights: 2, late: 2, trend: 2, row: 2, longestRow: 2 });
    expect(ofMinutes(64, 65, 2)).toEqual({ flights: 3, late: 2, trend: 2, row: 0, longestRow: 2 });
    expect(ofMinutes(64, 65, 2, 15)).toMatchObject({ late: 3, row: 1, longestRow: 2 });
    expect(ofMinutes(14, -59)).toMatchObject({ flights: 2, late: 0, row: 0, longestRow: 0 });
  });

  test('by airport cover all flights', () => {
    const delays = delaysByAirport(flights);
    expect([...delays.keys()]).toEqual(airports);
    const sum = (of: (delays: Delays) => number): number =>
      [...delays.values()].reduce((total, each) => total + of(each), 0);
    expect(sum((each) => each.flights)).toBe(20_000);
    expect(sum((each) => each.late)).toBe(flights.filter(({ delay }) => delay >= 15).length);
    for (const airport of ['DFW', 'ORD', airports.at(-1)]) {
      expect(delays.get(airport!)).toEqual(after(flights.filter(({ origin }) => origin === airport)));
    }
  });

  test('show when two neighbours changed places, at the airport with the most flights too', () => {
    const dallas = flights.filter(({ origin }) => origin === 'DFW');
    expect(dallas).toHaveLength(1103);
    const { trend } = after(dallas)!;
    const unnoticed = dallas.slice(1).filter((flight, n) => {
      const before = dallas[n]!;
      return flight.delay !== before.delay && after(dallas.toSpliced(n, 2, flight, before))!.trend === trend;
    });
    expect(unnoticed).toEqual([]);
  });
});

test('the board shows the last flight from each airport', () => {
  const board = liveBoard(flights);
  expect(board.size).toBe(220);
  for (const airport of airports) expect(board.get(airport)).toBe(flights.findLast(({ origin }) => origin === airport));
});

test('the archive has each flight once, in the file of its partition, in order', () => {
  const partitionOf = (origin: string): number => origin.charCodeAt(0) % 8;
  const files = archive(flights, 8, partitionOf);
  expect(files.flat()).toHaveLength(20_000);
  expect(new Set(files.flat()).size).toBe(20_000);
  expect(files[partitionOf('DTW')]![0]).toBe('2001/01/01 00:47,DTW,LAS,1750,66');
  for (const [partition, lines] of files.entries()) {
    const dates = lines.map((line) => line.split(',', 1)[0]!);
    expect(dates).toEqual(dates.toSorted());
    expect(lines.filter((line) => partitionOf(line.split(',', 2)[1]!) !== partition)).toEqual([]);
  }
});
