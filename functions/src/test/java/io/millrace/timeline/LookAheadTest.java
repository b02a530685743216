package io.millrace.timeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class LookAheadTest {
  private final UserCache cache = new UserCache(10, 1 << 20, (user, value) -> {});
  private final List<String> taken = new ArrayList<>();

  @Test
  void whatWaitsGoesInItsOrderWhenThereIsEnoughOrWhenItIsTold() throws Exception {
    cache.put("a", new UserValue(), true);
    LookAhead<String> waiting = new LookAhead<>(cache, 3, (what, time) -> taken.add(what + time));

    waiting.add("a", "x", 1);
    waiting.add("b", "y", 2);
    assertThat(taken).isEmpty();
    waiting.add("a", "z", 3);
    assertThat(taken).containsExactly("x1", "y2", "z3");

    waiting.add("c", "u", 4);
    waiting.drain();
    waiting.drain();
    assertThat(taken).containsExactly("x1", "y2", "z3", "u4");
  }

  @Test
  void oneAloneDoesNotWait() throws Exception {
    LookAhead<String> waiting = new LookAhead<>(cache, 1, (what, time) -> taken.add(what));

    waiting.add("a", "x", 1);

    assertThat(taken).containsExactly("x");
  }

  @Test
  void anErrorGoesToTheCaller() throws Exception {
    LookAhead<String> waiting =
        new LookAhead<>(
            cache,
            2,
            (what, time) -> {
              throw new IllegalStateException(what);
            });
    waiting.add("a", "x", 1);

    assertThatThrownBy(() -> waiting.add("b", "y", 2)).hasMessage("x");
  }
}
