package io.millrace.ledger;

import io.millrace.event.LedgerEntry;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Consumer;

/**
 * Counts, between two checkpoints, what one subtask saw per topic and hour.
 *
 * <p>The counts are emitted before the barrier and so become part of the same checkpoint as the
 * records that they count: a failure takes both back together, and no state is needed.
 */
public final class LedgerCounter {
  private static final long HOUR_MS = 3_600_000L;
  private static final int RECENT = 32;

  private final String runId;
  private final String mode;
  private final Map<Key, Cell> cells = new LinkedHashMap<>();
  private final Cell[] recent = new Cell[RECENT];

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
    Arrays.fill(recent, null);
  }

  private Cell cell(String topic, long ledgerTime) {
    long hour = Math.floorDiv(ledgerTime, HOUR_MS);
    // Events of few topics and hours come in turn.
    int slot = (topic.hashCode() + (int) hour) & (RECENT - 1);
    Cell cell = recent[slot];
    if (cell == null || cell.key.hour() != hour * HOUR_MS || !cell.key.topic().equals(topic)) {
      cell = cells.computeIfAbsent(new Key(topic, hour * HOUR_MS), Cell::new);
      recent[slot] = cell;
    }
    return cell;
  }
}
