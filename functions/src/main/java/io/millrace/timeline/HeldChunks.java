package io.millrace.timeline;

import io.millrace.session.UserSessions;
import java.io.IOException;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import javax.annotation.Nullable;
import org.apache.flink.api.common.state.MapState;

/** The chunks of one user; sets the key itself, as {@link SpilledFingerprints} does. */
final class HeldChunks implements UserSessions.Overflow {
  private final Consumer<String> key;
  private final MapState<HeldChunk, byte[]> held;
  private final boolean sorted;

  /** Whose chunks are meant. */
  String id;

  /** Over this state; the others are as in {@link SpilledFingerprints}. */
  HeldChunks(Consumer<String> key, MapState<HeldChunk, byte[]> held, boolean sorted) {
    this.key = key;
    this.held = held;
    this.sorted = sorted;
  }

  @Override
  public void put(long firstTimestamp, int number, byte[] events) throws IOException {
    call(
        () -> {
          held.put(new HeldChunk(firstTimestamp, number), events);
          return null;
        });
  }

  @Nullable
  @Override
  public byte[] take(long limit) throws IOException {
    return call(
        () -> {
          HeldChunk oldest = oldest();
          if (oldest == null || oldest.first() > limit) {
            return null;
          }
          byte[] events = held.get(oldest);
          held.remove(oldest);
          return events;
        });
  }

  @Override
  public long first() throws IOException {
    HeldChunk oldest = call(this::oldest);
    return oldest == null ? Long.MAX_VALUE : oldest.first();
  }

  @Nullable
  private HeldChunk oldest() throws Exception {
    HeldChunk oldest = null;
    for (HeldChunk chunk : held.keys()) {
      if (oldest == null || chunk.first() < oldest.first()) {
        oldest = chunk;
      }
      if (sorted) {
        // RocksDB iterates from the oldest chunk on.
        return oldest;
      }
    }
    if (oldest == null) {
      // The heap backend would keep an empty map.
      held.clear();
    }
    return oldest;
  }

  private <T> T call(Callable<T> access) throws IOException {
    key.accept(id);
    try {
      return access.call();
    } catch (Exception e) {
      throw new IOException("the held events of a user cannot be read or written", e);
    }
  }
}
