package io.millrace.transform.llm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.transform.LocalTables;
import io.millrace.transform.Problem;
import io.millrace.transform.Rows;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.commons.lang3.exception.ExceptionUtils;
import org.apache.flink.table.api.DataTypes;
import org.apache.flink.table.types.DataType;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CompleteTextTest {
  private static final List<String> COLUMNS = List.of("id", "note");
  private static final List<DataType> TYPES = List.of(DataTypes.BIGINT(), DataTypes.STRING());
  private static final String KEY = "sk-planted-secret";

  @TempDir Path temp;
  private ChatServer server;
  private Path key;
  private LocalTables tables;

  @BeforeEach
  void start() throws Exception {
    // Answers with the length of what it was asked, so that order and prompt both show.
    server = new ChatServer(asked -> " w" + asked.prompt().length() + "\n");
    System.setProperty("millrace.llm.url", server.url());
    key = Files.writeString(temp.resolve("key"), KEY);
    tables = new LocalTables(temp);
  }

  @AfterEach
  void stop() {
    System.clearProperty("millrace.llm.url");
    server.close();
  }

  private Rows notes(String... notes) {
    Object[][] values = new Object[notes.length][];
    for (int i = 0; i < notes.length; i++) {
      values[i] = new Object[] {(long) i, notes[i]};
    }
    return tables.rows(COLUMNS, TYPES, values);
  }

  private List<Object> complete(Map<String, Object> arguments, String... notes) {
    Map<String, Object> all = new HashMap<>(arguments);
    all.put("text_column", "note");
    all.put("api_key", "file:" + key);
    List<Object> texts = new ArrayList<>();
    LocalTables.collect(tables.lower(new CompleteText(), all, notes(notes)))
        .forEach(row -> texts.add(row.get(1)));
    return texts;
  }

  private static String prompt(String text) {
    return "Read the following text and replace [MISSING] with another natural word or phrase:\nText: "
        + text
        + "\nCompletion:";
  }

  private static String word(String text) {
    return "w" + prompt(text).length();
  }

  @Test
  void replacesOnePlaceholderAfterTheOther() {
    String first = "a [MISSING] b [MISSING]";
    String second = "a " + word(first) + " b [MISSING]";

    assertThat(complete(Map.of(), "nothing", first, null))
        .containsExactly("nothing", "a " + word(first) + " b " + word(second), null);
    assertThat(server.asked)
        .extracting(ChatServer.Asked::prompt)
        .containsExactly(prompt(first), prompt(second));
    assertThat(server.asked.get(0).authorization()).isEqualTo("Bearer " + KEY);
    assertThat(server.asked.get(0).body().get("max_tokens").asInt()).isEqualTo(20);
    assertThat(server.asked.get(0).body().get("temperature").asDouble()).isEqualTo(0.5);
    assertThat(server.asked.get(0).body().get("model").asText()).isEqualTo("gpt-4o-mini");
  }

  @Test
  void noMoreThanFiftyInOneRow() {
    String text = "[MISSING]".repeat(60);
    String completed = (String) complete(Map.of(), text).get(0);

    assertThat(server.asked).hasSize(50);
    assertThat(completed).endsWith("[MISSING]".repeat(10)).doesNotContain("[MISSING]".repeat(11));
  }

  @Test
  void maxRowsCountsRowsWithAPlaceholderFromTheFirstOn() {
    assertThat(
            complete(
                Map.of("max_rows", 2, "concurrency", 8),
                "plain",
                "1 [MISSING]",
                "plain",
                "22 [MISSING]",
                "333 [MISSING]"))
        .containsExactly(
            "plain",
            "1 " + word("1 [MISSING]"),
            "plain",
            "22 " + word("22 [MISSING]"),
            "333 [MISSING]");
  }

  @Test
  void theSameQuestionIsAskedOnceAndTheBudgetIsKept() {
    assertThat(
            complete(
                Map.of("max_calls", 2),
                "x [MISSING]",
                "x [MISSING]",
                "yy [MISSING]",
                "z [MISSING]!!"))
        .containsExactly(
            "x " + word("x [MISSING]"),
            "x " + word("x [MISSING]"),
            "yy " + word("yy [MISSING]"),
            "z [MISSING]!!");
    assertThat(server.asked).hasSize(2);
  }

  @Test
  void aRunThatIsRepeatedIsNotBilledAgain() throws Exception {
    Map<String, Object> cached = Map.of("cache_file", "cache/answers.jsonl");
    List<Object> once = complete(cached, "x [MISSING]");
    assertThat(complete(cached, "x [MISSING]")).isEqualTo(once);

    assertThat(server.asked).hasSize(1);
    assertThat(Files.readString(temp.resolve("cache/answers.jsonl")))
        .contains("\"answer\"")
        .doesNotContain("x [", KEY);
  }

  @Test
  void overloadAndErrorsOfTheServerAreTriedAgain() {
    server.failures.addAll(List.of(429, 503));

    assertThat(complete(Map.of(), "x [MISSING]")).containsExactly("x " + word("x [MISSING]"));
    assertThat(server.asked).hasSize(3);
  }

  @Test
  void aRefusalFailsTheRunWithoutTheKeyOrIsKept() {
    server.failures.add(401);
    assertThatThrownBy(() -> complete(Map.of(), "x [MISSING]"))
        .satisfies(
            failure -> {
              assertThat(ExceptionUtils.getRootCauseMessage(failure))
                  .contains("the language model at 127.0.0.1:")
                  .contains("answers 401");
              assertThat(ExceptionUtils.getStackTrace(failure)).doesNotContain(KEY);
            });
    assertThat(server.asked).hasSize(1);

    server.failures.add(401);
    assertThat(complete(Map.of("on_error", "keep"), "x [MISSING]", "yy [MISSING]"))
        .hasSize(2)
        .filteredOn(text -> ((String) text).contains("[MISSING]"))
        .hasSize(1);
  }

  @Test
  void anAnswerThatIsNotOneFailsInOneLine() {
    server.failures.add(0);
    assertThatThrownBy(() -> complete(Map.of(), "x [MISSING]"))
        .satisfies(
            failure ->
                assertThat(ExceptionUtils.getRootCauseMessage(failure))
                    .contains("answers without choices[0].message.content"));
  }

  @Test
  void onlyTextCanBeCompleted() {
    assertThat(
            tables.lower(
                new CompleteText(),
                Map.of("text_column", "id"),
                tables.rows(COLUMNS, TYPES, new Object[] {1L, "x"})))
        .isNull();
    assertThat(tables.problems)
        .extracting(Problem::toString)
        .containsExactly(
            "step 'step': text_column is 'id', which is BIGINT, but must be a text column");
  }
}
