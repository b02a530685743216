package io.millrace.local;

import io.millrace.config.Secret;
import io.millrace.identity.Pseudonymise;
import io.millrace.lake.catalog.Catalog;
import io.millrace.lake.catalog.CatalogSpec;
import io.millrace.lake.catalog.NoCatalog;
import io.millrace.lake.catalog.TableSchema;
import io.millrace.lake.parquet.AppEventTable;
import io.millrace.lake.parquet.PersonRows;
import io.millrace.lake.parquet.SessionTable;
import io.millrace.lake.publish.BackfillPlan;
import io.millrace.lake.publish.Erasure;
import io.millrace.lake.publish.Erasure.Found;
import io.millrace.lake.publish.ErasureRecord;
import io.millrace.local.LakeReader.Rows;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.security.GeneralSecurityException;
import java.security.InvalidKeyException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import javax.annotation.Nullable;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.core.fs.Path;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.serialization.StringSerializer;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Takes a person out of a lake; see {@code --help}. */
@Command(
    name = "scripts/erase",
    mixinStandardHelpOptions = true,
    version = "Millrace 0.1.0",
    description = {
      "Removes the rows of one person from every table that has a row per event, session or record."
          + " Only files with such a row are replaced; a job may write on meanwhile. A record below"
          + " _erasures tells when, why and what was removed, with a salted hash in place of the"
          + " id. It is refused while a backfill of hours is at work, which could bring the person"
          + " back.",
      "Without --lake it works on the stack of scripts/up. For S3 the keys are read from"
          + " AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
    },
    sortOptions = false)
public final class Erase implements Callable<Integer> {
  private static final Pattern PSEUDONYM = Pattern.compile("[0-9a-f]{64}");

  @Option(
      names = "--user",
      paramLabel = "ID",
      required = true,
      description =
          "The user_id as producers send it; - reads a line of standard input, which no list of"
              + " processes has.")
  private String user;

  @Option(
      names = "--reason",
      paramLabel = "TEXT",
      required = true,
      description = "Why, for the record; without the id.")
  private String reason;

  @Option(
      names = "--pseudonym-key",
      paramLabel = "REF",
      description =
          "The job's users.pseudonym-key, as env:NAME or file:/path: rows with the pseudonym go,"
              + " too.")
  @Nullable
  private String pseudonymKey;

  @Option(
      names = "--erasures-topic",
      paramLabel = "TOPIC",
      description =
          "The job's users.erasures-topic: it forgets the person, too, and the open session with"
              + " it.")
  @Nullable
  private String erasuresTopic;

  @Option(
      names = "--bootstrap-servers",
      paramLabel = "HOST:PORT",
      description = "The brokers of that topic; with --lake.")
  @Nullable
  private String brokers;

  @Option(
      names = "--kafka-properties",
      paramLabel = "FILE",
      description = "Properties of Kafka's clients, as for TLS and SASL.")
  @Nullable
  private java.nio.file.Path kafkaProperties;

  @Option(names = "--dry-run", description = "Tell what would be removed, and change nothing.")
  private boolean dryRun;

  @Option(
      names = "--lake",
      paramLabel = "URI",
      description = "The lake's root, as s3://bucket/path or file:///path.")
  @Nullable
  private String lake;

  @Option(
      names = "--catalog-uri",
      paramLabel = "URI",
      description = "thrift://HOST:PORT of the metastore, where there is one.")
  @Nullable
  private String catalogUri;

  @Option(
      names = "--database",
      paramLabel = "NAME",
      defaultValue = "millrace",
      description = "Database of the tables (default: ${DEFAULT-VALUE}).")
  private String database;

  @Mixin private final S3Options s3 = new S3Options();

  private final PrintStream print;
  private final java.nio.file.Path home;
  private final Map<String, String> environment;

  Erase(PrintStream print, java.nio.file.Path home, Map<String, String> environment) {
    this.print = print;
    this.home = home;
    this.environment = environment;
  }

  public static void main(String[] args) {
    PrintStream print = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    System.exit(Commands.run(new Erase(print, Commands.home(), System.getenv()), args));
  }

  @Override
  public Integer call() throws Exception {
    if (user.equals("-")) {
      user =
          new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8)).readLine();
    }
    check();
    PersonRows person = new PersonRows(names());
    FileSystems.initialize(Configuration.fromMap(connect()));
    Path root = new Path(lake.replaceAll("/+$", ""));
    requireALake(root);
    java.nio.file.Path work = Files.createTempDirectory("millrace-erase-");
    try (Catalog catalog = catalog(root)) {
      Erasure erasure = new Erasure(root, person, work).onProgress(progress());
      if (dryRun) {
        tell(erasure.survey());
        print.println("Nothing was changed.");
        return CommandLine.ExitCode.OK;
      }
      refuseBesideBackfills(root);
      ErasureRecord begun =
          ErasureRecord.begin(UUID.randomUUID().toString(), user, reason, Instant.now().toString());
      begun.write(root);
      try {
        // A backfill that begins from now on sees the record: one of the two sees the other.
        refuseBesideBackfills(root);
      } catch (CommandFailure | IOException e) {
        begun.remove(root);
        throw e;
      }
      if (erasuresTopic != null) {
        tellJobs(begun);
      }
      List<Found> found = erasure.run(catalog);
      tell(found);
      begun = begun.with(found);
      if (!erasure.left().isEmpty()) {
        begun.write(root);
        refuseToEnd(erasure.left());
      }
      Instant end = Instant.now();
      endInterrupted(begun, end, root);
      ErasureRecord ended = begun.end(end.toString());
      ended.write(root);
      print.println("Recorded in " + ended.file(root));
    } finally {
      BuildFiles.deleteTree(work);
    }
    return CommandLine.ExitCode.OK;
  }

  private void check() {
    if (user == null || user.isBlank()) {
      throw new IllegalArgumentException("--user is empty");
    }
    if (reason.isBlank()) {
      throw new IllegalArgumentException("--reason is empty");
    }
    if (reason.contains(user)) {
      throw new IllegalArgumentException(
          "--reason has the id in it, which the record must not keep");
    }
    if (kafkaProperties != null) {
      Submit.file("--kafka-properties", kafkaProperties);
    }
    if (lake != null) {
      s3.check(lake);
      if ((erasuresTopic == null) != (brokers == null)) {
        throw new IllegalArgumentException(
            "--erasures-topic and --bootstrap-servers go together, with --lake");
      }
    } else if (catalogUri != null) {
      throw new IllegalArgumentException("--catalog-uri needs --lake, too");
    }
  }

  private Set<String> names() throws GeneralSecurityException {
    Set<String> names = new TreeSet<>(Set.of(user));
    if (pseudonymKey != null) {
      try {
        names.add(Pseudonymise.pseudonym(Secret.of(pseudonymKey).resolve(), user));
      } catch (IllegalArgumentException | InvalidKeyException e) {
        throw new IllegalArgumentException("--pseudonym-key: " + e.getMessage(), e);
      }
    }
    return names;
  }

  /** Flink's keys for the way to the lake. */
  private Map<String, String> connect() {
    if (lake != null) {
      return s3.access(environment).settings();
    }
    DetachedStack stack = DetachedStack.running(home.resolve(DetachedStack.FOLDER));
    lake = "s3://" + Stack.BUCKET;
    catalogUri = stack.metastore().uri().toString();
    brokers = stack.kafka().bootstrap();
    return stack.flinkSettings();
  }

  /** A mistyped root would be told as a person of whom nothing is known. */
  private void requireALake(Path root) throws IOException {
    for (TableSchema table : PersonRows.TABLES) {
      if (root.getFileSystem().exists(new Path(root, table.path()))) {
        return;
      }
    }
    throw new IllegalArgumentException(
        "--lake is '" + root + "', but none of the tables that know users is there");
  }

  /** Its record stays as of one that was interrupted. */
  private static void refuseToEnd(List<Path> left) {
    throw new CommandFailure(
        (left.size() == 1 ? "1 file, " : left.size() + " files, first ")
            + left.get(0)
            + ", would grow, which a job that is restored from the checkpoint that committed them"
            + " does not allow: run the same command again when they are older than "
            + Erasure.SETTLED.toMinutes()
            + " minutes; from all others the person is erased");
  }

  /** What a backfill has read from raw before would bring the person back. */
  private static void refuseBesideBackfills(Path root) throws IOException {
    List<BackfillPlan> unfinished = BackfillPlan.unfinished(root);
    if (!unfinished.isEmpty()) {
      BackfillPlan first = unfinished.get(0);
      String command = "scripts/backfill --hours " + first.hours();
      throw new CommandFailure(
          "run "
              + first.runId()
              + " recomputes the hours "
              + first.hours()
              + " since "
              + first.plannedAt()
              + ", and could bring the person back: wait for it; where it was interrupted, run "
              + command
              + " again, or forget it by "
              + command
              + " --give-up; nothing was changed");
    }
  }

  /** Those about the same person that were interrupted have ended with this one. */
  private void endInterrupted(ErasureRecord own, Instant end, Path root) throws IOException {
    for (ErasureRecord record : ErasureRecord.notEndedBy(end, root)) {
      boolean interrupted = record.endedAt() == null;
      if (interrupted && !record.erasure().equals(own.erasure()) && record.isAbout(user)) {
        record.end(end.toString()).write(root);
      }
    }
  }

  /** First of all: what a job holds back must not become a row behind the erasure. */
  private void tellJobs(ErasureRecord erasure) throws IOException {
    Properties client = KafkaAccess.client(brokers, kafkaProperties);
    client.put(ProducerConfig.ACKS_CONFIG, "all");
    try (KafkaProducer<String, String> producer =
        new KafkaProducer<>(client, new StringSerializer(), new StringSerializer())) {
      String value = "{\"erasure\":\"" + erasure.erasure() + "\"}";
      producer.send(new ProducerRecord<>(erasuresTopic, user, value)).get();
    } catch (ExecutionException e) {
      throw new CommandFailure(
          "topic " + erasuresTopic + " at " + brokers + ": " + e.getCause().getMessage(), e);
    } catch (KafkaException e) {
      throw new CommandFailure(
          "topic " + erasuresTopic + " at " + brokers + ": " + e.getMessage(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CommandFailure("interrupted at topic " + erasuresTopic, e);
    }
    print.println("Jobs are told by topic " + erasuresTopic);
  }

  private Catalog catalog(Path root) {
    return catalogUri == null
        ? new NoCatalog()
        : CatalogSpec.hive(catalogUri, database).withDatabaseLocation(root + "/").open();
  }

  private Erasure.Progress progress() {
    long[] shown = {System.nanoTime()};
    return (table, files) -> {
      long now = System.nanoTime();
      if (now - shown[0] > TimeUnit.SECONDS.toNanos(1)) {
        shown[0] = now;
        print.printf(Locale.ROOT, "%-15s %,11d files read%n", table.name(), files);
      }
    };
  }

  private void tell(List<Found> found) {
    List<List<String>> rows = new ArrayList<>();
    for (Found table : found) {
      rows.add(
          List.of(
              table.table().name(),
              String.valueOf(table.filesRead()),
              String.valueOf(table.files()),
              String.valueOf(table.partitions()),
              String.valueOf(table.rows())));
    }
    TextTable.print(
        print,
        new Rows(
            List.of(
                "table",
                "files read",
                dryRun ? "to replace" : "replaced",
                "partitions",
                dryRun ? "rows to remove" : "rows removed"),
            rows));
    String hint = hint(found);
    if (hint != null) {
      print.println(hint);
    }
  }

  /** What to do where rows have another name for the person; null where all is well. */
  @Nullable
  private String hint(List<Found> found) {
    long asSent = 0;
    long keyed = 0;
    for (Found table : found) {
      boolean hasPseudonyms =
          table.table().equals(AppEventTable.SCHEMA) || table.table().equals(SessionTable.SCHEMA);
      asSent += hasPseudonyms ? 0 : table.rows();
      keyed += hasPseudonyms ? table.rows() : 0;
    }
    if (keyed > 0 && asSent == 0 && PSEUDONYM.matcher(user).matches()) {
      return "The id looks like a pseudonym, which no raw record and no dead letter has: erase the id"
          + " as it was sent, too, with --pseudonym-key.";
    }
    if (keyed == 0 && pseudonymKey == null) {
      return "No event and no session has the id: where the job has users.pseudonym-key they have"
          + " its pseudonym, which --pseudonym-key tells.";
    }
    if (keyed == 0) {
      return asSent == 0
          ? "No row has the id as it was sent, or its pseudonym with this key."
          : "Raw records or dead letters have the id, but no event and no session has it, or its"
              + " pseudonym with this key: is it the job's?";
    }
    return null;
  }
}
