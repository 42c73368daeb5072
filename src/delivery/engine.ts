import type { Clock } from '../clock.js';
import type { Codecs } from '../codec.js';
import type { Events } from '../events.js';
import type { Agenda } from './agenda.js';
import type { Identities } from './identities.js';
import type { Shapes } from './shapes.js';
import type { Slice } from './slice.js';
import type { Trial } from './crash/trial.js';

/** What all queues and groups of a broker share. */
export interface Engine {
  readonly clock: Clock;
  readonly events: Events;
  readonly agenda: Agenda;
  readonly slice: Slice;
  readonly trial: Trial;
  readonly shapes: Shapes;
  readonly identities: Identities;
  readonly codecs: Codecs;
  /** When the broker was opened: deadlines are told from here. */
  readonly epoch: number;
}
