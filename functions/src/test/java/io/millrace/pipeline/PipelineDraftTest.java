package io.millrace.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.pipeline.PipelineDraft.Draft;
import io.millrace.transform.Catalog;
import io.millrace.transform.DataRoot;
import io.millrace.transform.Declaration;
import io.millrace.transform.Declaration.Inputs;
import io.millrace.transform.Declaration.Kind;
import io.millrace.transform.Parameter;
import io.millrace.transform.Rows;
import io.millrace.transform.Step;
import io.millrace.transform.Transform;
import io.millrace.transform.llm.ChatClient;
import io.millrace.transform.llm.ChatClient.LlmException;
import io.millrace.transform.llm.ChatClient.Patience;
import io.millrace.transform.llm.ChatServer;
import io.millrace.transform.llm.CompleteText;
import io.millrace.transform.llm.LlmEndpoint;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PipelineDraftTest {
  private static final String INVALID =
      """
      pipeline:
        name: notes
        steps:
          - id: in
            service: extract_notes
            params: {file: notes.txt, speed: 3}
          - id: filled
            service: text_completion_llm
            params: {text_column: note, missing_placeholder: "[?]"}
            depends_on: [inn]
      """;
  private static final String VALID = INVALID.replace(", speed: 3", "").replace("[inn]", "[in]");

  @TempDir Path temp;

  /** Knows its columns only when it runs. */
  private static final class ExtractNotes implements Transform {
    @Override
    public Declaration declaration() {
      return new Declaration(
          "extract_notes",
          Kind.EXTRACT,
          Inputs.NONE,
          "Reads notes.",
          List.of(Parameter.text("file").require().doc("The file.")),
          List.of());
    }

    @Override
    public Rows lower(Step step, List<Rows> inputs) {
      return null;
    }
  }

  private Draft draft(Deque<String> answers, List<String> asked) throws Exception {
    try (ChatServer server =
            new ChatServer(
                question -> {
                  asked.add(question.body().get("messages").toString());
                  return answers.poll();
                });
        ChatClient client =
            new ChatClient(
                new LlmEndpoint(server.url(), "model"),
                null,
                new Patience(Duration.ofSeconds(10), 0, Duration.ofMillis(10), 1))) {
      if (answers.isEmpty()) {
        server.failures.add(500);
      }
      return new PipelineDraft(
              client,
              "small",
              new Catalog(List.of(new ExtractNotes(), new CompleteText())),
              DataRoot.at(temp))
          .write("fill in what is missing in notes.txt");
    }
  }

  @Test
  void problemsGoBackToTheModel() throws Exception {
    List<String> asked = new ArrayList<>();
    Draft draft =
        draft(
            new ArrayDeque<>(List.of("Here it is:\n```yaml\n" + INVALID + "```\nEnjoy!", VALID)),
            asked);

    assertThat(draft.isValid()).isTrue();
    assertThat(draft.tries()).isEqualTo(2);
    assertThat(draft.yaml()).isEqualTo(VALID);
    assertThat(asked.get(0))
        .contains("text_completion_llm", "extract_notes", "fill in what is missing");
    assertThat(asked.get(1)).contains("speed", "inn");
  }

  @Test
  void itGivesUpAfterThreeRepairs() throws Exception {
    List<String> asked = new ArrayList<>();
    Draft draft = draft(new ArrayDeque<>(List.of(INVALID, "no", INVALID, INVALID, VALID)), asked);

    assertThat(draft.isValid()).isFalse();
    assertThat(draft.tries()).isEqualTo(4);
    assertThat(asked).hasSize(4);
    assertThat(draft.problems()).hasSizeGreaterThanOrEqualTo(2);
  }

  @Test
  void aModelThatDoesNotAnswerIsToldInOneLine() {
    assertThatThrownBy(() -> draft(new ArrayDeque<>(), new ArrayList<>()))
        .isInstanceOf(LlmException.class)
        .hasMessageContaining("answers 500");
  }
}
