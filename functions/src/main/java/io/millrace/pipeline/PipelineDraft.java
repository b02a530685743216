package io.millrace.pipeline;

import io.millrace.transform.Catalog;
import io.millrace.transform.DataRoot;
import io.millrace.transform.Problem;
import io.millrace.transform.llm.ChatClient;
import io.millrace.transform.llm.ChatClient.LlmException;
import io.millrace.transform.llm.ChatClient.Message;
import io.millrace.transform.llm.ChatClient.Settings;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Has a language model write a pipeline from a sentence, checks it as any other, and hands the
 * problems back to the model until there are none or it has had its tries. Nothing of it is run.
 */
public final class PipelineDraft {
  /** Problems are handed back so often. */
  public static final int REPAIRS = 3;

  private static final Pattern FENCED =
      Pattern.compile("```(?:ya?ml)?\\s*\\R(.*?)\\R?```", Pattern.DOTALL);
  private static final int MAX_TOKENS = 2_048;
  private static final double TEMPERATURE = 0.2;

  /**
   * What the model wrote last.
   *
   * @param problems of it, errors and warnings
   * @param tries how often the model was asked
   */
  public record Draft(String yaml, List<Problem> problems, int tries) {
    public boolean isValid() {
      return problems.stream().noneMatch(Problem::isError);
    }
  }

  private final ChatClient client;
  private final String model;
  private final Catalog catalog;
  private final DataRoot files;

  public PipelineDraft(ChatClient client, String model, Catalog catalog, DataRoot files) {
    this.client = client;
    this.model = model;
    this.catalog = catalog;
    this.files = files;
  }

  /**
   * Asks for a pipeline that does what the sentence says.
   *
   * @throws LlmException when the model cannot be asked
   */
  public Draft write(String wish) throws InterruptedException {
    List<Message> conversation = new ArrayList<>();
    conversation.add(new Message("system", instructions()));
    conversation.add(new Message("user", wish));
    Draft draft = ask(conversation, 1);
    while (!draft.isValid() && draft.tries() <= REPAIRS) {
      conversation.add(new Message("assistant", draft.yaml()));
      conversation.add(new Message("user", repair(draft.problems())));
      draft = ask(conversation, draft.tries() + 1);
    }
    return draft;
  }

  private Draft ask(List<Message> conversation, int tries) throws InterruptedException {
    String answer;
    try {
      answer = client.complete(conversation, new Settings(model, MAX_TOKENS, TEMPERATURE)).get();
    } catch (ExecutionException e) {
      if (e.getCause() instanceof LlmException refused) {
        throw refused;
      }
      throw new IllegalStateException(e.getCause());
    }
    String yaml = yaml(answer);
    return new Draft(yaml, PipelineCheck.check(PipelineParser.parse(yaml), catalog, files), tries);
  }

  /** The YAML of an answer: what is in its first fence, or all of it. */
  static String yaml(String answer) {
    Matcher fenced = FENCED.matcher(answer);
    return (fenced.find() ? fenced.group(1) : answer).strip() + "\n";
  }

  private String instructions() {
    return """
        You write data pipelines as YAML. Answer with the YAML only, without an explanation.

        pipeline:
          name: letters, digits, - and _
          description: one sentence
          steps:
            - id: unique in the pipeline
              service: one of the services below
              params: {the service's parameters}
              depends_on: [ids of the steps whose rows it takes]

        Rules: begin with extracts, which depend on nothing; end with a load; every other step has
        depends_on; a join takes two steps, the others one unless it says so; give every required
        parameter and none that is not listed; paths of files are relative.

        The services:

        """
        + CatalogPage.markdown(catalog);
  }

  private static String repair(List<Problem> problems) {
    StringBuilder text = new StringBuilder("This pipeline cannot run:\n");
    problems.stream()
        .filter(Problem::isError)
        .forEach(p -> text.append("- ").append(p).append('\n'));
    return text.append("Write the whole pipeline again with these mended, as YAML only.")
        .toString();
  }
}
