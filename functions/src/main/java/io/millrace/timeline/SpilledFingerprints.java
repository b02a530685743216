package io.millrace.timeline;

import io.millrace.identity.Fingerprint;
import io.millrace.identity.SeenEvents;
import java.io.IOException;
import java.util.Iterator;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import org.apache.flink.api.common.state.MapState;

/**
 * The fingerprints of one user that are in map states; sets the key itself, since lookups by cache
 * do not.
 */
final class SpilledFingerprints implements SeenEvents.Spill {
  private static final byte PRESENT = 1;

  private final Consumer<String> key;
  private final MapState<SpilledFingerprint, Byte> spilled;
  private final MapState<Integer, long[]> archived;
  private final boolean sorted;

  /** Whose fingerprints are meant. */
  String id;

  /**
   * Over these states.
   *
   * @param key sets the user whose states they are
   * @param sorted whether a map is gone through in the order of its keys, as on RocksDB
   */
  SpilledFingerprints(
      Consumer<String> key,
      MapState<SpilledFingerprint, Byte> spilled,
      MapState<Integer, long[]> archived,
      boolean sorted) {
    this.key = key;
    this.spilled = spilled;
    this.archived = archived;
    this.sorted = sorted;
  }

  @Override
  public void archive(int segment, long[] pairs) throws IOException {
    call(
        () -> {
          archived.put(segment, pairs);
          return true;
        });
  }

  @Override
  public boolean archiveContains(int segment, Fingerprint f) throws IOException {
    return call(
        () -> {
          long[] pairs = archived.get(segment);
          for (int i = 0; i < pairs.length; i += 2) {
            if (pairs[i] == f.high() && pairs[i + 1] == f.low()) {
              return true;
            }
          }
          return false;
        });
  }

  @Override
  public void removeArchived(int segment) throws IOException {
    call(
        () -> {
          archived.remove(segment);
          return true;
        });
  }

  @Override
  public boolean contains(int bucket, Fingerprint f) throws IOException {
    return call(() -> spilled.contains(new SpilledFingerprint(bucket, f.high(), f.low())));
  }

  @Override
  public void add(int bucket, Fingerprint f) throws IOException {
    call(
        () -> {
          spilled.put(new SpilledFingerprint(bucket, f.high(), f.low()), PRESENT);
          return true;
        });
  }

  @Override
  public void removeThrough(int bucket) throws IOException {
    call(
        () -> {
          Iterator<SpilledFingerprint> keys = spilled.keys().iterator();
          while (keys.hasNext()) {
            if (keys.next().bucket() <= bucket) {
              keys.remove();
            } else if (sorted) {
              // RocksDB iterates from the oldest bucket on.
              break;
            }
          }
          if (spilled.isEmpty()) {
            // The heap backend would keep an empty map.
            spilled.clear();
          }
          return true;
        });
  }

  private boolean call(Callable<Boolean> call) throws IOException {
    key.accept(id);
    try {
      return call.call();
    } catch (IOException e) {
      throw e;
    } catch (Exception e) {
      throw new IOException("the spilled fingerprints of a user cannot be read or written", e);
    }
  }
}
