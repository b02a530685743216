package io.millrace.ledger;

import io.millrace.event.LedgerEntry;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Consumer;
import javax.annotation.Nullable;

/**
 * Counts, between two checkpoints, what one subtask saw per topic and hour.
 *
 * <p>The counts are emitted before the barrier and so become part of the same checkpoint as the
 * records that they count: a failure takes both back together, and no state is needed.
 */
public final class LedgerCounter {
  private static final long HOUR_MS = 3_600_000L;

  private final String runId;
  private final String mode;
  private final Map<Key, Cell> cells = new LinkedHashMap<>();
  @Nullable private Cell last;

  private record Key(String topic, long hour) {}

  private static final class Cell {
    final Key key;
    long received;
    long accepted;
    long rejected;
    long duplicates;
    long late;

    Cell(Key key) {
      this.key = key;
    }
  }

  public LedgerCounter(String runId, String mode) {
    this.runId = runId;
    this.mode = mode;
  }

  public void received(String topic, long ledgerTime) {
    cell(topic, ledgerTime).received++;
  }

  public void rejected(String topic, long ledgerTime) {
    cell(topic, ledgerTime).rejected++;
  }

  public void duplicate(String topic, long ledgerTime) {
    cell(topic, ledgerTime).duplicates++;
  }

  public void accepted(String topic, long ledgerTime, boolean late) {
    Cell cell = cell(topic, ledgerTime);
    cell.accepted++;
    if (late) {
      cell.late++;
    }
  }

  /** Hands over what was counted since the last call, and starts from zero. */
  public void drain(long checkpoint, Consumer<LedgerEntry> out) {
    for (Cell c : cells.values()) {
      out.accept(
          new LedgerEntry(
              runId,
              mode,
              checkpoint,
              c.key.topic(),
              c.key.hour(),
              c.received,
              c.accepted,
              c.rejected,
              c.duplicates,
              c.late));
    }
    cells.clear();
    last = null;
  }

  private Cell cell(String topic, long ledgerTime) {
    Cell candidate = last;
    if (candidate != null
        && ledgerTime >= candidate.key.hour()
        && ledgerTime - candidate.key.hour() < HOUR_MS
        && candidate.key.topic().equals(topic)) {
      return candidate;
    }
    Key key = new Key(topic, Math.floorDiv(ledgerTime, HOUR_MS) * HOUR_MS);
    last = cells.computeIfAbsent(key, Cell::new);
    return last;
  }
}
