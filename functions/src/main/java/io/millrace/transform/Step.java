package io.millrace.transform;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.table.api.Table;
import org.apache.flink.table.api.TableDescriptor;
import org.apache.flink.table.api.bridge.java.StreamStatementSet;
import org.apache.flink.table.api.bridge.java.StreamTableEnvironment;

/** One step of a pipeline while it is lowered: what it was given, and where it builds. */
public final class Step {
  /**
   * What all steps of one compilation share.
   *
   * @param environment where streams are made; its mode is batch for bounded pipelines, else
   *     streaming
   * @param tables where tables are made, of the same environment
   * @param statements takes inserts into table sinks; they run with the job
   * @param files resolves paths of files under the data root
   * @param offline true when a pipeline is only validated: nothing may be opened but local files
   * @param problems takes every problem found
   */
  public record Site(
      String pipeline,
      String runId,
      StreamExecutionEnvironment environment,
      StreamTableEnvironment tables,
      StreamStatementSet statements,
      DataRoot files,
      boolean bounded,
      boolean offline,
      Consumer<Problem> problems) {}

  /**
   * A file or folder, and where it belongs; see {@link #publish}.
   *
   * @param always also when a quality gate ended the job
   */
  public record Publication(Path temporary, Path target, boolean always) {}

  private final String id;
  private final String service;
  private final Arguments arguments;
  private final Site site;
  private final Map<String, DataStream<String>> collected = new LinkedHashMap<>();
  private final Map<String, Object> facts = new LinkedHashMap<>();
  private final List<Publication> publications = new ArrayList<>();
  private boolean inserts;

  public Step(String id, String service, Arguments arguments, Site site) {
    this.id = id;
    this.service = service;
    this.arguments = arguments;
    this.site = site;
  }

  /** The id in YAML, and the uid of the step's operator. */
  public String id() {
    return id;
  }

  public String service() {
    return service;
  }

  public Arguments arguments() {
    return arguments;
  }

  public Site site() {
    return site;
  }

  public StreamTableEnvironment tables() {
    return site.tables();
  }

  public boolean bounded() {
    return site.bounded();
  }

  /** Reports that the step cannot run as it is written; {@code key} is the parameter, or null. */
  public void error(String key, String message) {
    site.problems().accept(Problem.error(id, key, message));
  }

  /** Reports something doubtful that does not keep the step from running. */
  public void warn(String key, String message) {
    site.problems().accept(Problem.warning(id, key, message));
  }

  /**
   * Brings the few texts of a stream to the run report, see {@link Outcome#collected}. They arrive
   * with the job's end, also when the job failed after them.
   */
  public void collect(String name, DataStream<String> texts) {
    collected.put(name, texts);
  }

  /** Says something that is known before the job runs, see {@link Outcome#facts}. */
  public void fact(String name, Object value) {
    facts.put(name, value);
  }

  /**
   * Has a file or folder moved to its place when the job has ended well; what was there is
   * replaced. When the job fails, it is removed.
   *
   * @param temporary what the job writes, beside the target
   */
  public void publish(Path temporary, Path target) {
    publications.add(new Publication(temporary, target, false));
  }

  /** As {@link #publish}, and also when a quality gate ended the job: the file is whole by then. */
  public void publishAlways(Path temporary, Path target) {
    publications.add(new Publication(temporary, target, true));
  }

  /** Has rows written to a table; they are when the job runs. */
  public void insert(TableDescriptor table, Table rows) {
    site.statements().addInsert(table, rows);
    inserts = true;
  }

  /** Whether {@link #insert} was called. */
  public boolean inserts() {
    return inserts;
  }

  public List<Publication> publications() {
    return publications;
  }

  public Map<String, DataStream<String>> collected() {
    return collected;
  }

  public Map<String, Object> facts() {
    return facts;
  }

  /**
   * Where the job writes what is to be published as that file: a hidden sibling, so that the move
   * is one within a file system.
   */
  public Path temporary(Path target) {
    return target.resolveSibling("." + target.getFileName() + "." + site.runId());
  }

  /** The file that a load writes when it is told no other: below the pipeline's folder. */
  public Path defaultOutput(String extension) {
    return site.files().resolve(site.pipeline() + "/processed/" + id + "." + extension);
  }
}
