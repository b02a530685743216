package io.millrace.timeline;

import java.util.Arrays;
import javax.annotation.Nullable;

/**
 * The users seen last, by user id: at most so many users and so many bytes. It owns what it holds;
 * changed values go back through {@link WriteBack} when they are evicted or flushed.
 *
 * <p>A hand goes round the users and evicts the first that nobody asked for since it last passed.
 * This is nearly the least recently used one, and a hit touches no other user's memory, as it would
 * if it moved its user to the end of a list.
 */
final class UserCache {
  private static final int FIRST_USERS = 1024;

  /** Users at most in one {@link #lookAhead}. */
  static final int LOOK_AHEAD = 32;

  private final int maxUsers;
  private final long maxBytes;
  private final WriteBack writeBack;
  // Chains by the hash of the id; twice as many as the ring has places.
  private Entry[] chains = new Entry[2 * FIRST_USERS];
  private Entry[] ring = new Entry[FIRST_USERS];
  private int users;
  private int hand;
  private long bytes;

  private final Entry[] ahead = new Entry[LOOK_AHEAD];

  // Keeps the compiler from dropping reads that nothing else needs.
  @SuppressWarnings("UnusedVariable")
  private int lookedAt;

  // The entry that get found last: the put that follows is mostly about it.
  @Nullable private String foundUser;
  @Nullable private Entry found;

  /** Writes a user's value to the state backend. */
  interface WriteBack {
    void write(String user, UserValue value) throws Exception;
  }

  private static final class Entry {
    final String user;
    final int hash;
    final UserValue value;
    @Nullable Entry next;
    int place;
    int weight;
    boolean dirty;
    boolean asked;

    Entry(String user, int hash, UserValue value) {
      this.user = user;
      this.hash = hash;
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
    found = find(user);
    if (found == null) {
      return null;
    }
    found.asked = true;
    return found.value;
  }

  /**
   * Reads what is asked for next, of these users, and changes nothing. The values of many users do
   * not fit into the processor's caches, and each holds several objects, one behind the other. Here
   * the processor waits for the memory of many users at a time: in each pass it follows one
   * reference of each user, and no read depends on another one of the same pass.
   */
  void lookAhead(String[] ids, int count) {
    for (int i = 0; i < count; i++) {
      ahead[i] = chains[chain(ids[i].hashCode())];
    }
    int seen = 0;
    for (int i = 0; i < count; i++) {
      // Others of the same chain are few.
      seen += ahead[i] == null ? 0 : ahead[i].user.length();
    }
    for (int depth = 0; depth < UserValue.DEPTHS; depth++) {
      for (int i = 0; i < count; i++) {
        seen += ahead[i] == null ? 0 : ahead[i].value.lookAhead(depth);
      }
    }
    Arrays.fill(ahead, 0, count, null);
    lookedAt += seen;
  }

  /** The cache's own instance of the id that {@link #get} was asked for, when it was found. */
  String idOf(String user) {
    return found == null ? user : found.user;
  }

  /** Takes a value that {@link #get} did not have, or notes a change of one that it had. */
  void put(String user, UserValue value, boolean changed) throws Exception {
    Entry entry = entry(user, value);
    entry.dirty |= changed;
    int weight = value.weight();
    bytes += weight - entry.weight;
    entry.weight = weight;
    while (users > 1 && (users > maxUsers || bytes > maxBytes)) {
      evictBeside(entry);
    }
  }

  @SuppressWarnings("ReferenceEquality")
  private Entry entry(String user, UserValue value) {
    if (found != null && (foundUser == user || found.user == user)) {
      return found;
    }
    Entry entry = find(user);
    return entry == null ? insert(user, value) : entry;
  }

  void remove(String user) {
    Entry entry = find(user);
    if (entry != null) {
      remove(entry);
    }
  }

  /** Writes every changed value back; all stay in the cache. */
  void flush() throws Exception {
    for (int i = 0; i < users; i++) {
      writeIfDirty(ring[i]);
    }
  }

  int users() {
    return users;
  }

  long bytes() {
    return bytes;
  }

  @Nullable
  private Entry find(String user) {
    int hash = user.hashCode();
    Entry entry = chains[chain(hash)];
    while (entry != null && (entry.hash != hash || !entry.user.equals(user))) {
      entry = entry.next;
    }
    return entry;
  }

  private int chain(int hash) {
    int spread = hash * 0x9E3779B9;
    return (spread ^ (spread >>> 15)) & (chains.length - 1);
  }

  private Entry insert(String user, UserValue value) {
    if (users == ring.length) {
      grow();
    }
    Entry entry = new Entry(user, user.hashCode(), value);
    link(entry);
    place(entry, users++);
    return entry;
  }

  private void grow() {
    ring = Arrays.copyOf(ring, 2 * users);
    chains = new Entry[4 * users];
    for (int i = 0; i < users; i++) {
      link(ring[i]);
    }
  }

  private void link(Entry entry) {
    int chain = chain(entry.hash);
    entry.next = chains[chain];
    chains[chain] = entry;
  }

  private void place(Entry entry, int place) {
    entry.place = place;
    ring[place] = entry;
  }

  @SuppressWarnings("ReferenceEquality")
  private void evictBeside(Entry kept) throws Exception {
    while (true) {
      hand = hand < users ? hand : 0;
      Entry entry = ring[hand];
      if (!entry.asked && entry != kept) {
        writeIfDirty(entry);
        remove(entry);
        // The newest user took the place.
        hand++;
        return;
      }
      entry.asked = false;
      hand++;
    }
  }

  private void writeIfDirty(Entry entry) throws Exception {
    if (entry.dirty) {
      writeBack.write(entry.user, entry.value);
      entry.dirty = false;
    }
  }

  @SuppressWarnings("ReferenceEquality")
  private void remove(Entry entry) {
    found = null;
    bytes -= entry.weight;
    int chain = chain(entry.hash);
    if (chains[chain] == entry) {
      chains[chain] = entry.next;
    } else {
      Entry before = chains[chain];
      while (before.next != entry) {
        before = before.next;
      }
      before.next = entry.next;
    }
    Entry last = ring[--users];
    ring[users] = null;
    if (last != entry) {
      place(last, entry.place);
    }
  }
}
