package io.millrace.identity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.event.Event;
import io.millrace.event.Records;
import java.security.InvalidKeyException;
import org.apache.flink.streaming.api.operators.StreamMap;
import org.apache.flink.streaming.util.OneInputStreamOperatorTestHarness;
import org.apache.flink.util.InstantiationUtil;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The pseudonym of a user. */
@SuppressWarnings("try") // close() of Flink's harness declares Exception
class PseudonymiseTest {
  // RFC 4231, test case 1.
  private static final String KEY_1 = "\u000b".repeat(20);

  private static OneInputStreamOperatorTestHarness<Event, Event> harness(String key)
      throws Exception {
    return new OneInputStreamOperatorTestHarness<>(
        new StreamMap<>(InstantiationUtil.clone(new Pseudonymise(() -> key))));
  }

  private static String pseudonym(String key, String userId) throws Exception {
    try (var harness = harness(key)) {
      harness.open();
      harness.processElement(Records.event("e", userId, Records.T), 1);
      return harness.extractOutputValues().get(0).userId();
    }
  }

  @Test
  void isTheHmacOfRfc4231() throws Exception {
    assertThat(pseudonym(KEY_1, "Hi There"))
        .isEqualTo("b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    StringBuilder key4 = new StringBuilder();
    for (char c = 1; c <= 25; c++) {
      key4.append(c);
    }
    // The data of test case 4 is no text, so this value is from Python's hmac.
    assertThat(pseudonym(key4.toString(), "ü-😀"))
        .isEqualTo("06021814b7e52fcc78bea9afc7201b562ba922ae9ea29c7f2bdf264645ec6f20");
  }

  @Test
  void changesNothingButTheUser() throws Exception {
    try (var harness = harness(KEY_1)) {
      harness.open();
      harness.processElement(Records.full(), 1);
      Event named = harness.extractOutputValues().get(0);
      assertThat(named.withUserId(Records.full().userId())).isEqualTo(Records.full());
      assertThat(named.userId()).matches("[0-9a-f]{64}");
    }
  }

  @Test
  void isTheSameForEveryEventOfAUserAndForNoOther() throws Exception {
    try (var harness = harness(KEY_1)) {
      harness.open();
      for (String user : new String[] {"a", "b", "a", "A", "a"}) {
        harness.processElement(Records.event("e", user, Records.T), 1);
      }
      assertThat(harness.extractOutputValues().stream().map(Event::userId).distinct()).hasSize(3);
    }
    assertThat(pseudonym("another key of 16+ bytes", "a")).isNotEqualTo(pseudonym(KEY_1, "a"));
  }

  @ParameterizedTest
  @CsvSource({"'', 0", "123456789012345, 15", "ééééééé, 14"})
  void aShortKeyIsRefused(String key, int bytes) throws Exception {
    try (var harness = harness(key)) {
      assertThatThrownBy(harness::open)
          .isInstanceOf(InvalidKeyException.class)
          .hasMessage("the pseudonym key has " + bytes + " bytes, at least 16 are needed");
    }
  }

  @Test
  void aKeyOfSixteenBytesIsEnough() throws Exception {
    assertThat(pseudonym("éééééééé", "a")).hasSize(64);
  }

  @Test
  void theKeyDoesNotTravelWithTheJobGraph() throws Exception {
    byte[] shipped =
        InstantiationUtil.serializeObject(new Pseudonymise(() -> System.getProperty("test.key")));
    System.setProperty("test.key", "a secret of the environment");
    try {
      Pseudonymise read = InstantiationUtil.deserializeObject(shipped, getClass().getClassLoader());
      assertThat(new String(shipped, java.nio.charset.StandardCharsets.ISO_8859_1))
          .doesNotContain("a secret of the environment");
      try (var harness =
          new OneInputStreamOperatorTestHarness<>(new StreamMap<Event, Event>(read))) {
        harness.open();
        harness.processElement(Records.event("e", "u", 0), 1);
        assertThat(harness.extractOutputValues().get(0).userId())
            .isEqualTo(pseudonym("a secret of the environment", "u"));
      }
    } finally {
      System.clearProperty("test.key");
    }
  }
}
