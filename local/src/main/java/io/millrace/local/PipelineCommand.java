package io.millrace.local;

import io.millrace.config.NearestKey;
import io.millrace.config.Secret;
import io.millrace.pipeline.CatalogPage;
import io.millrace.pipeline.PipelineCheck;
import io.millrace.pipeline.PipelineDraft;
import io.millrace.pipeline.PipelineDraft.Draft;
import io.millrace.pipeline.PipelineFile;
import io.millrace.pipeline.PipelineParser;
import io.millrace.pipeline.PipelineSchema;
import io.millrace.pipeline.StandardCatalog;
import io.millrace.transform.Catalog;
import io.millrace.transform.DataRoot;
import io.millrace.transform.Problem;
import io.millrace.transform.llm.ChatClient;
import io.millrace.transform.llm.ChatClient.Patience;
import io.millrace.transform.llm.LlmEndpoint;
import java.io.IOException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import javax.annotation.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Pipelines that are described in YAML; see {@code --help}. */
@Command(
    name = "scripts/pipeline",
    mixinStandardHelpOptions = true,
    version = "Millrace 0.1.0",
    description = {
      "Checks and runs pipelines that are described in YAML: steps of the catalog, each with an id,"
          + " parameters and the steps that it depends on. jobs/pipelines holds some.",
      "",
      "Exit codes: 0 done, 2 the pipeline or an argument is wrong, 3 a quality gate failed, 1"
          + " anything else.",
      ""
    },
    sortOptions = false)
public final class PipelineCommand implements Callable<Integer> {
  static final int INVALID = 2;

  @Spec private CommandSpec spec;

  private PipelineCommand() {}

  public static void main(String[] args) {
    PrintStream print = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    Path home = Path.of(System.getProperty("millrace.home", "."));
    System.exit(
        Commands.run(new PipelineCommand(), args, below(print, StandardCatalog.standard(), home)));
  }

  /** Runs it with another catalog, as from that folder; the exit code. */
  static int run(
      PrintStream print, PrintWriter errors, Catalog catalog, Path home, String... args) {
    return Commands.run(new PipelineCommand(), args, errors, below(print, catalog, home));
  }

  private static Callable<?>[] below(PrintStream print, Catalog catalog, Path home) {
    return new Callable<?>[] {
      new Validate(print, catalog),
      new RunPipeline(print, catalog, home),
      new DraftOne(print, catalog),
      new ShowCatalog(print, catalog),
      new ShowSchema(print, catalog)
    };
  }

  @Override
  public Integer call() {
    throw new ParameterException(
        spec.commandLine(),
        "missing command, allowed are validate, run, draft, catalog and schema");
  }

  /** The file, and what every command that reads one takes. */
  static final class Input {
    @Parameters(paramLabel = "FILE", description = "The pipeline, in YAML.")
    private Path file;

    @Option(
        names = "--data-root",
        paramLabel = "DIR",
        defaultValue = ".",
        description = {
          "The folder that paths in the pipeline are relative to, and that it reads and writes",
          "below (default: the current one)."
        })
    private Path dataRoot;

    @Option(
        names = "--set",
        paramLabel = "STEP.PARAM=VALUE",
        description = "Sets a parameter of a step; may be repeated.")
    private List<String> settings = List.of();

    PipelineFile read() {
      try {
        return PipelineParser.read(file, settings);
      } catch (IOException e) {
        throw new IllegalArgumentException(e.getMessage(), e);
      }
    }

    DataRoot files() {
      if (!Files.isDirectory(dataRoot)) {
        throw new IllegalArgumentException(
            "--data-root is '" + dataRoot + "', which is not a folder");
      }
      return DataRoot.at(dataRoot);
    }

    /** Prints every problem, and whether it may run; true when it may. */
    boolean tell(PrintStream print, List<Problem> problems) {
      for (Problem problem : problems) {
        print.println((problem.isError() ? "error: " : "warning: ") + problem);
      }
      long errors = problems.stream().filter(Problem::isError).count();
      if (errors > 0) {
        print.printf("%s is not valid: %s%n", file, count(errors, "error"));
      }
      return errors == 0;
    }

    private static String count(long number, String what) {
      return number + " " + what + (number == 1 ? "" : "s");
    }
  }

  /** Tells every problem of a pipeline. */
  @Command(
      name = "validate",
      mixinStandardHelpOptions = true,
      description = {
        "Tells every problem of a pipeline: of its shape, its parameters, the columns that it"
            + " names",
        "and its SQL. Local files are read for their columns; nothing is run."
      },
      sortOptions = false)
  private static final class Validate implements Callable<Integer> {
    @Mixin private Input input;

    private final PrintStream print;
    private final Catalog catalog;

    Validate(PrintStream print, Catalog catalog) {
      this.print = print;
      this.catalog = catalog;
    }

    @Override
    public Integer call() {
      PipelineFile file = input.read();
      if (!input.tell(print, PipelineCheck.check(file, catalog, input.files()))) {
        return INVALID;
      }
      print.printf(
          "%s is valid: %s%n", input.file, Input.count(file.pipeline().steps().size(), "step"));
      return CommandLine.ExitCode.OK;
    }
  }

  /** Has a language model write a pipeline. */
  @Command(
      name = "draft",
      mixinStandardHelpOptions = true,
      description = {
        "Has a language model write a pipeline from a sentence, hands problems back to it up to"
            + " three",
        "times, and writes the YAML. It runs nothing. The model is that of an OpenAI-compatible",
        "endpoint: MILLRACE_LLM_URL and MILLRACE_LLM_MODEL, OpenAI's unless set."
      },
      sortOptions = false)
  private static final class DraftOne implements Callable<Integer> {
    @Parameters(paramLabel = "SENTENCE", description = "What the pipeline is to do.")
    private String wish;

    @Option(
        names = "--data-root",
        paramLabel = "DIR",
        defaultValue = ".",
        description = "The folder with the files that it will read (default: the current one).")
    private Path dataRoot;

    @Option(
        names = "--out",
        paramLabel = "FILE",
        description = "Where to write the YAML; a file that is there is not replaced.")
    @Nullable
    private Path out;

    @Option(
        names = "--key",
        paramLabel = "REFERENCE",
        description = "The endpoint's key, as env:NAME or file:/path.")
    @Nullable
    private String key;

    private final PrintStream print;
    private final Catalog catalog;

    DraftOne(PrintStream print, Catalog catalog) {
      this.print = print;
      this.catalog = catalog;
    }

    @Override
    public Integer call() throws Exception {
      if (!Files.isDirectory(dataRoot)) {
        throw new IllegalArgumentException(
            "--data-root is '" + dataRoot + "', which is not a folder");
      }
      if (out != null && Files.exists(out)) {
        throw new IllegalArgumentException("--out is '" + out + "', which is there already");
      }
      LlmEndpoint endpoint = LlmEndpoint.configured();
      Patience patience = new Patience(Duration.ofMinutes(2), 3, Duration.ofMillis(500), 1);
      try (ChatClient client =
          new ChatClient(endpoint, key == null ? null : Secret.of(key), patience)) {
        System.err.println("Asking " + endpoint.model());
        Draft draft =
            new PipelineDraft(client, endpoint.model(), catalog, DataRoot.at(dataRoot)).write(wish);
        if (out == null) {
          print.print(draft.yaml());
        } else {
          Files.writeString(out, draft.yaml());
        }
        for (Problem problem : draft.problems()) {
          System.err.println((problem.isError() ? "error: " : "warning: ") + problem);
        }
        if (!draft.isValid()) {
          System.err.println(
              "the pipeline is still not valid, though the model was asked "
                  + draft.tries()
                  + " times");
        }
        return draft.isValid() ? CommandLine.ExitCode.OK : INVALID;
      }
    }
  }

  /** Prints the catalog. */
  @Command(
      name = "catalog",
      mixinStandardHelpOptions = true,
      description = "Prints what a step can be, or the parameters and examples of one service.",
      sortOptions = false)
  private static final class ShowCatalog implements Callable<Integer> {
    @Parameters(arity = "0..1", paramLabel = "SERVICE", description = "One entry.")
    @Nullable
    private String service;

    private final PrintStream print;
    private final Catalog catalog;

    ShowCatalog(PrintStream print, Catalog catalog) {
      this.print = print;
      this.catalog = catalog;
    }

    @Override
    public Integer call() {
      if (service == null) {
        print.print(CatalogPage.list(catalog));
        return CommandLine.ExitCode.OK;
      }
      print.print(
          CatalogPage.entry(
              catalog
                  .find(service)
                  .orElseThrow(() -> new IllegalArgumentException(unknown()))
                  .declaration()));
      return CommandLine.ExitCode.OK;
    }

    private String unknown() {
      List<String> known = new ArrayList<>(catalog.services());
      return "there is no service '"
          + service
          + "'; "
          + NearestKey.find(service, known)
              .map(near -> "did you mean '" + near + "'?")
              .orElse("there are " + String.join(", ", known));
    }
  }

  /** Prints the JSON Schema. */
  @Command(
      name = "schema",
      mixinStandardHelpOptions = true,
      description = "Prints the JSON Schema of pipelines, for editors.")
  private static final class ShowSchema implements Callable<Integer> {
    private final PrintStream print;
    private final Catalog catalog;

    ShowSchema(PrintStream print, Catalog catalog) {
      this.print = print;
      this.catalog = catalog;
    }

    @Override
    public Integer call() {
      print.print(PipelineSchema.text(catalog));
      return CommandLine.ExitCode.OK;
    }
  }
}
