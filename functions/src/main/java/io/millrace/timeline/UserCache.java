package io.millrace.timeline;

import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import javax.annotation.Nullable;

/**
 * The users seen last, by user id: at most so many users and so many bytes. It owns what it holds;
 * changed values go back through {@link WriteBack} when they are evicted or flushed.
 */
final class UserCache {
  private final int maxUsers;
  private final long maxBytes;
  private final WriteBack writeBack;
  private final Map<String, Entry> users = new LinkedHashMap<>(1024, 0.75f, true);
  private long bytes;

  // The entry that get found last: the put that follows is mostly about it.
  @Nullable private String foundUser;
  @Nullable private Entry found;

  /** Writes a user's value to the state backend. */
  interface WriteBack {
    void write(String user, UserValue value) throws Exception;
  }

  private static final class Entry {
    final UserValue value;
    boolean dirty;
    int weight;

    Entry(UserValue value) {
      this.value = value;
    }
  }

  UserCache(int maxUsers, long maxBytes, WriteBack writeBack) {
    this.maxUsers = maxUsers;
    this.maxBytes = maxBytes;
    this.writeBack = writeBack;
  }

  @Nullable
  UserValue get(String user) {
    foundUser = user;
    found = users.get(user);
    return found == null ? null : found.value;
  }

  /** Takes a value that {@link #get} did not have, or notes a change of one that it had. */
  void put(String user, UserValue value, boolean changed) throws Exception {
    Entry entry = entry(user, value);
    entry.dirty |= changed;
    int weight = value.weight();
    bytes += weight - entry.weight;
    entry.weight = weight;
    while (users.size() > maxUsers || (bytes > maxBytes && users.size() > 1)) {
      evictEldest();
    }
  }

  @SuppressWarnings("ReferenceEquality")
  private Entry entry(String user, UserValue value) {
    if (found != null && foundUser == user) {
      return found;
    }
    Entry entry = users.get(user);
    if (entry == null) {
      entry = new Entry(value);
      users.put(user, entry);
    }
    return entry;
  }

  void remove(String user) {
    found = null;
    Entry entry = users.remove(user);
    if (entry != null) {
      bytes -= entry.weight;
    }
  }

  /** Writes every changed value back; all stay in the cache. */
  void flush() throws Exception {
    for (Map.Entry<String, Entry> e : users.entrySet()) {
      if (e.getValue().dirty) {
        writeBack.write(e.getKey(), e.getValue().value);
        e.getValue().dirty = false;
      }
    }
  }

  int users() {
    return users.size();
  }

  long bytes() {
    return bytes;
  }

  private void evictEldest() throws Exception {
    found = null;
    Iterator<Map.Entry<String, Entry>> eldest = users.entrySet().iterator();
    Map.Entry<String, Entry> e = eldest.next();
    if (e.getValue().dirty) {
      writeBack.write(e.getKey(), e.getValue().value);
    }
    bytes -= e.getValue().weight;
    eldest.remove();
  }
}
