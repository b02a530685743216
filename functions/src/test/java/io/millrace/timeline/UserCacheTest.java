package io.millrace.timeline;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** The cache of users, without an operator. */
class UserCacheTest {
  private final Map<String, UserValue> written = new HashMap<>();

  private UserCache cache(int maxUsers, long maxBytes) {
    return new UserCache(maxUsers, maxBytes, written::put);
  }

  /** An id that is equal to others of its number, and no other object. */
  private static String id(int number) {
    return "user-" + number;
  }

  @Test
  void keepsTheUserThatIsAskedForAndWritesBackTheChangedOnesThatGo() throws Exception {
    UserCache cache = cache(3, Long.MAX_VALUE);
    Map<String, UserValue> values = new HashMap<>();
    for (int i = 0; i < 1_000; i++) {
      UserValue value = new UserValue();
      values.put(id(i), value);
      assertThat(cache.get(id(i))).isNull();
      cache.put(id(i), value, i % 2 == 0);
      assertThat(cache.get(id(0))).isSameAs(values.get(id(0)));
      assertThat(cache.users()).isLessThanOrEqualTo(3);
    }
    assertThat(written.keySet()).hasSizeBetween(498, 499).allMatch(u -> !u.equals(id(0)));
    written.forEach((user, value) -> assertThat(value).isSameAs(values.get(user)));
    assertThat(written.keySet()).allMatch(u -> Integer.parseInt(u.substring(5)) % 2 == 0);
  }

  @Test
  void theUserThatWasPutLastStaysWhateverItWeighs() throws Exception {
    UserCache cache = cache(100, 1);
    for (int i = 0; i < 10; i++) {
      cache.put(id(i), new UserValue(), true);
      assertThat(cache.users()).isEqualTo(1);
      assertThat(cache.get(id(i))).isNotNull();
    }
    assertThat(written).hasSize(9);
  }

  @Test
  void flushWritesWhatChangedOnce() throws Exception {
    UserCache cache = cache(100, Long.MAX_VALUE);
    cache.put(id(1), new UserValue(), true);
    cache.put(id(2), new UserValue(), false);
    cache.flush();
    assertThat(written.keySet()).containsExactly(id(1));
    written.clear();
    cache.flush();
    assertThat(written).isEmpty();
    assertThat(cache.users()).isEqualTo(2);
  }

  @Test
  void losesNothingOverRandomUse() throws Exception {
    SplittableRandom random = new SplittableRandom(20260105);
    UserCache cache = cache(3_000, Long.MAX_VALUE);
    Map<String, UserValue> all = new HashMap<>();
    for (int i = 0; i < 200_000; i++) {
      String user = id(random.nextInt(5_000));
      UserValue held = cache.get(user);
      UserValue value = held == null ? all.get(user) : held;
      if (held != null) {
        assertThat(held).isSameAs(all.get(user));
      } else if (value != null) {
        assertThat(written.remove(user)).isSameAs(value);
      }
      if (value != null && random.nextInt(10) == 0) {
        cache.remove(user);
        all.remove(user);
        written.remove(user);
        assertThat(cache.get(user)).isNull();
      } else {
        value = value == null ? new UserValue() : value;
        all.put(user, value);
        cache.put(user, value, true);
      }
    }
    Set<String> known = new HashSet<>(written.keySet());
    assertThat(cache.users()).isBetween(1_000, 3_000);
    assertThat(cache.bytes()).isEqualTo((long) cache.users() * new UserValue().weight());
    cache.flush();
    known.addAll(written.keySet());
    assertThat(known).isEqualTo(all.keySet());
  }
}
