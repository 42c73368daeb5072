import { nextTurn } from './clock.js';
import type { Events } from './events.js';
import type { StorageReport } from './storage/storage.js';

/** Makes events of what a storage reports. What it says while it is opened is told when somebody can have begun to listen. */
export class Reports {
  private readonly events: Events;
  private early: StorageReport[] | undefined = [];

  constructor(events: Events) {
    this.events = events;
  }

  readonly take = (report: StorageReport): void => {
    if (this.early === undefined) this.tell(report);
    else this.early.push(report);
  };

  /** The broker is about to be handed over. */
  opened(): void {
    if (this.early!.length === 0) this.early = undefined;
    else nextTurn(this.catchUp);
  }

  private readonly catchUp = (): void => {
    const early = this.early!;
    this.early = undefined;
    for (const report of early) this.tell(report);
  };

  private tell(report: StorageReport): void {
    const { events } = this;
    switch (report.type) {
      case 'failed':
        return events.report(report.error);
      case 'nearly-full': {
        const message = 'the storage has little room left; when it is full, sends reject and acknowledgements go on';
        return events.emit('warning', { code: 'STORAGE_NEARLY_FULL', message, details: report.details });
      }
      case 'torn-tail': {
        const { file, position } = report;
        const message = `${file} ended in a write that was not finished; it was cut at ${position}, behind all that was confirmed`;
        return events.emit('warning', { code: 'STORAGE_TORN_TAIL', message, details: { file, position } });
      }
    }
  }
}
