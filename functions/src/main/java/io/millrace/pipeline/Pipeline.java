package io.millrace.pipeline;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.config.ConfigException;
import io.millrace.pipeline.PipelineCompiler.Compilation;
import io.millrace.pipeline.PipelineDef.StepDef;
import io.millrace.pipeline.PipelineEnvironments.State;
import io.millrace.pipeline.PipelineValidator.Validation;
import io.millrace.transform.Catalog;
import io.millrace.transform.DataRoot;
import io.millrace.transform.Problem;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;

/**
 * Describes a pipeline in Java, as a file does in YAML:
 *
 * <pre>{@code
 * PipelineDef hr =
 *     Pipeline.named("hr")
 *         .extractCsv("staff", "hr.csv")
 *         .outlierDetection("usual", "MonthlyIncome").param("z_threshold", 2.5)
 *         .loadData("save", "parquet")
 *         .build(StandardCatalog.standard());
 * }</pre>
 *
 * <p>A step takes the rows of the one before it, unless {@link #after} names others; one that
 * extracts takes none.
 */
public final class Pipeline {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final String name;
  private final List<StepDef> steps = new ArrayList<>();
  private String description = "";

  private Pipeline(String name) {
    this.name = name;
  }

  /** An empty pipeline; the name becomes a folder's. */
  public static Pipeline named(String name) {
    return new Pipeline(name);
  }

  public Pipeline describedAs(String text) {
    description = text;
    return this;
  }

  /** Adds a step of any service; the id is its uid. */
  public Pipeline step(String id, String service) {
    boolean first = steps.isEmpty() || service.startsWith("extract_");
    List<String> inputs = first ? List.of() : List.of(steps.get(steps.size() - 1).id());
    steps.add(new StepDef(id, service, Map.of(), inputs, 0));
    return this;
  }

  /** Sets a parameter of the step that was added last; lists and maps are taken as such. */
  public Pipeline param(String parameter, Object value) {
    JsonNode node = JSON.valueToTree(value);
    steps.set(steps.size() - 1, last().with(parameter, node));
    return this;
  }

  /** Has the step that was added last take the rows of these steps, in this order. */
  public Pipeline after(String... ids) {
    StepDef step = last();
    steps.set(
        steps.size() - 1, new StepDef(step.id(), step.service(), step.params(), List.of(ids), 0));
    return this;
  }

  private StepDef last() {
    if (steps.isEmpty()) {
      throw new IllegalStateException("there is no step yet");
    }
    return steps.get(steps.size() - 1);
  }

  /** Reads a CSV file below the data root. */
  public Pipeline extractCsv(String id, String filePath) {
    return step(id, "extract_csv").param("file_path", filePath);
  }

  /** Reads an Excel file below the data root. */
  public Pipeline extractExcel(String id, String filePath) {
    return step(id, "extract_excel").param("file_path", filePath);
  }

  /** Reads the result of a query; the URL may be a reference, as env:NAME. */
  public Pipeline extractSql(String id, String dbUrl, String query) {
    return step(id, "extract_sql").param("db_url", dbUrl).param("query", query);
  }

  /** Reads JSON over HTTP. */
  public Pipeline extractApi(String id, String apiUrl) {
    return step(id, "extract_api").param("api_url", apiUrl);
  }

  /** Drops or fills nulls. */
  public Pipeline cleanNan(String id, String strategy) {
    return step(id, "clean_nan").param("strategy", strategy);
  }

  public Pipeline deleteColumns(String id, String... columns) {
    return step(id, "delete_columns").param("columns", List.of(columns));
  }

  /** Checks rules; rows pass unchanged. */
  public Pipeline dataQuality(String id, Map<String, ?> rules) {
    return step(id, "data_quality").param("rules", new LinkedHashMap<>(rules));
  }

  /** Removes rows whose value lies far from the mean. */
  public Pipeline outlierDetection(String id, String column) {
    return step(id, "outlier_detection").param("column", column);
  }

  /** Joins the rows of two steps on a column that both have. */
  public Pipeline joinDatasets(String id, String left, String right, String joinKey) {
    return step(id, "join_datasets").after(left, right).param("join_key", joinKey);
  }

  /** Has a language model complete a text. */
  public Pipeline textCompletionLlm(String id, String textColumn) {
    return step(id, "text_completion_llm").param("text_column", textColumn);
  }

  /** Writes a file below the data root. */
  public Pipeline loadData(String id, String format) {
    return step(id, "load_data").param("format", format);
  }

  /** The pipeline, not validated. */
  public PipelineDef define() {
    return new PipelineDef(name, description, steps);
  }

  /** What is wrong with it, the same as of a file. */
  public Validation validate(Catalog catalog) {
    return PipelineValidator.validate(define(), catalog);
  }

  /**
   * The pipeline.
   *
   * @throws ConfigException with every error, when there is any
   */
  public PipelineDef build(Catalog catalog) {
    refuse(validate(catalog).problems());
    return define();
  }

  /**
   * Runs it in this JVM, as {@code scripts/pipeline run} does, to its end.
   *
   * @param dataRoot the folder below which it reads and writes
   * @throws ConfigException with every error, when there is any; nothing has run then
   */
  public RunReport run(Catalog catalog, Path dataRoot) throws Exception {
    return run(catalog, dataRoot, () -> false);
  }

  /**
   * Runs it in this JVM to its end, or until it is to stop. One that reads without end takes
   * checkpoints below the data root, and leaves a savepoint there.
   *
   * @param dataRoot the folder below which it reads and writes
   * @param stop whether it is to stop; asked about twice a second
   * @throws ConfigException with every error, when there is any; nothing has run then
   */
  public RunReport run(Catalog catalog, Path dataRoot, BooleanSupplier stop) throws Exception {
    Validation validation = validate(catalog);
    refuse(validation.problems());
    DataRoot files = DataRoot.at(dataRoot);
    try (EmbeddedCluster cluster =
        EmbeddedCluster.start(Runtime.getRuntime().availableProcessors())) {
      StreamExecutionEnvironment environment = cluster.environment(validation.bounded());
      if (!validation.bounded()) {
        PipelineEnvironments.keep(environment, State.below(files, name));
      }
      Compilation compilation =
          PipelineCheck.compile(PipelineFile.of(define()), validation, catalog, environment, files);
      refuse(compilation.problems());
      return PipelineRunner.run(compilation, (step, rows, done) -> {}, stop);
    }
  }

  private static void refuse(List<Problem> problems) {
    List<String> errors =
        problems.stream().filter(Problem::isError).map(Problem::toString).toList();
    if (!errors.isEmpty()) {
      throw new ConfigException(errors);
    }
  }

  /** As a file, which reads as the same pipeline. */
  public String toYaml() {
    return PipelineYaml.write(define());
  }
}
