package io.millrace.local;

import io.millrace.event.Origin;
import io.millrace.event.RejectReason;
import io.millrace.lake.parquet.DeadLetterReader;
import io.millrace.lake.parquet.DeadLetterReader.StoredLetter;
import io.millrace.lake.parquet.DeadLetterTable;
import io.millrace.lake.publish.TableFiles;
import io.millrace.local.LakeReader.Rows;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import javax.annotation.Nullable;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.core.fs.FileStatus;
import org.apache.flink.core.fs.Path;
import org.apache.flink.util.TimeUtils;
import org.apache.kafka.common.KafkaException;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Sends dead letters back to their topics; see {@code --help}. */
@Command(
    name = "scripts/replay",
    mixinStandardHelpOptions = true,
    version = "Millrace 0.1.0",
    description = {
      "Sends rejected records, out of the table dead_letters, back to the topics that they came"
          + " from, when what rejected them is mended. Each carries its attempt in the header"
          + " millrace-attempt, and no record is sent as more than the third. A record and its"
          + " entry in the manifest, a compacted topic, are one transaction: the same command again"
          + " sends nothing twice, however it ended.",
      "Without --lake it works on the stack of scripts/up. For S3 the keys are read from"
          + " AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
    },
    sortOptions = false)
public final class Replay implements Callable<Integer> {
  /** The deliveries that a record gets, the first one among them. */
  static final int MAX_ATTEMPTS = 3;

  /** How far the clocks of a lake and a job may be apart. */
  private static final long CLOCKS_MS = Duration.ofHours(1).toMillis();

  @Option(
      names = "--reason",
      paramLabel = "R[,R]",
      split = ",",
      required = true,
      description = "Records that were rejected for these reasons and no other one.")
  private List<String> reasons;

  @Option(
      names = "--since",
      paramLabel = "T",
      required = true,
      description = "Rejected since an instant, as 2026-01-06T00:00:00Z, or a time ago, as '24 h'.")
  private String since;

  @Option(
      names = "--topic",
      paramLabel = "T[,T]",
      split = ",",
      description = "Of these topics only (default: all).")
  private List<String> topics = List.of();

  @Option(names = "--limit", paramLabel = "N", description = "Send at most N (default: all).")
  private long limit = Long.MAX_VALUE;

  @Option(names = "--dry-run", description = "Tell what would be sent, and send nothing.")
  private boolean dryRun;

  @Option(
      names = "--lake",
      paramLabel = "URI",
      description = "The lake's root, as s3://bucket/path or file:///path.")
  @Nullable
  private String lake;

  @Option(
      names = "--bootstrap-servers",
      paramLabel = "HOST:PORT",
      description = "The brokers of the topics; with --lake.")
  @Nullable
  private String brokers;

  @Option(
      names = "--kafka-properties",
      paramLabel = "FILE",
      description = "Properties of Kafka's clients, as for TLS and SASL.")
  @Nullable
  private java.nio.file.Path kafkaProperties;

  @Option(
      names = "--manifest",
      paramLabel = "TOPIC",
      defaultValue = "millrace.replays",
      description = "What has been sent; made when it is not there (default: ${DEFAULT-VALUE}).")
  private String manifestTopic;

  @Mixin private final S3Options s3 = new S3Options();

  private final PrintStream print;
  private final java.nio.file.Path home;
  private final Map<String, String> environment;

  /** What becomes of a dead letter. */
  private enum Outcome {
    SENT("sent"),
    SENT_BEFORE("sent before"),
    ATTEMPTS_USED_UP(MAX_ATTEMPTS + " attempts"),
    OTHER_REASONS("other reasons"),
    FROM_FILES("from files"),
    OVER_LIMIT("over the limit");

    private final String heading;

    Outcome(String heading) {
      this.heading = heading;
    }
  }

  /** A line of the summary: dead letters of a topic that have had the same attempts. */
  private record Group(String topic, int attempt) implements Comparable<Group> {
    @Override
    public int compareTo(Group other) {
      int byTopic = topic.compareTo(other.topic);
      return byTopic != 0 ? byTopic : Integer.compare(attempt, other.attempt);
    }
  }

  /**
   * What a look at the table has found.
   *
   * @param files those with a dead letter that is meant
   */
  private record Survey(List<Path> files, Map<Group, Map<Outcome, Long>> counts) {
    long count(Outcome outcome) {
      return counts.values().stream().mapToLong(c -> c.getOrDefault(outcome, 0L)).sum();
    }
  }

  /** Takes a dead letter that is sent. */
  private interface Sender {
    void send(StoredLetter letter);

    /** There may be nothing to send for a while. */
    default void endOfFile() {}
  }

  Replay(PrintStream print, java.nio.file.Path home, Map<String, String> environment) {
    this.print = print;
    this.home = home;
    this.environment = environment;
  }

  public static void main(String[] args) {
    PrintStream print = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    System.exit(Commands.run(new Replay(print, Commands.home(), System.getenv()), args));
  }

  @Override
  public Integer call() throws Exception {
    check();
    long from = since(Instant.now());
    Properties client = connect();
    try {
      return replay(client, from);
    } catch (KafkaException e) {
      throw new CommandFailure("Kafka at " + brokers + ": " + e.getMessage(), e);
    }
  }

  private int replay(Properties client, long from) throws IOException {
    List<Path> files = files(from);
    if (dryRun) {
      ReplayManifest manifest = ReplayManifest.read(client, manifestTopic);
      Survey survey = read(files, from, manifest, letter -> {});
      tell(survey);
      print.printf(
          Locale.ROOT, "%,d would be sent; nothing was sent.%n", survey.count(Outcome.SENT));
      return CommandLine.ExitCode.OK;
    }
    String replay = UUID.randomUUID().toString();
    Progress[] progress = new Progress[1];
    try (ReplayProducer producer =
        new ReplayProducer(client, manifestTopic, replay, n -> progress[0].at(n))) {
      Survey planned = read(files, from, producer.manifest(), letter -> {});
      progress[0] = new Progress(print, "sent", planned.count(Outcome.SENT));
      Sender sender =
          new Sender() {
            @Override
            public void send(StoredLetter letter) {
              producer.send(letter);
            }

            @Override
            public void endOfFile() {
              producer.commitInTime();
            }
          };
      Survey done = read(planned.files(), from, producer.manifest(), sender);
      producer.commit();
      if (producer.sent() > 0) {
        progress[0].done();
      }
      tell(done);
      print.printf(
          Locale.ROOT,
          "Replay %s has sent %,d; what is rejected again comes back to dead_letters with its"
              + " attempt.%n",
          replay,
          done.count(Outcome.SENT));
    }
    return CommandLine.ExitCode.OK;
  }

  private void check() {
    Set<String> known =
        Arrays.stream(RejectReason.values())
            .map(RejectReason::code)
            .collect(Collectors.toCollection(TreeSet::new));
    for (String reason : reasons) {
      if (!known.contains(reason)) {
        throw new IllegalArgumentException(
            "--reason is '" + reason + "', but must be of: " + String.join(", ", known));
      }
    }
    if (limit <= 0) {
      throw new IllegalArgumentException("--limit is " + limit + ", but must be at least 1");
    }
    if ((lake == null) != (brokers == null)) {
      throw new IllegalArgumentException("--lake and --bootstrap-servers go together");
    }
    if (lake != null) {
      s3.check(lake);
    }
    if (kafkaProperties != null) {
      Submit.file("--kafka-properties", kafkaProperties);
    }
  }

  private long since(Instant now) {
    try {
      return Instant.parse(since).toEpochMilli();
    } catch (DateTimeException notAnInstant) {
      try {
        return now.minus(TimeUtils.parseDuration(since)).toEpochMilli();
      } catch (IllegalArgumentException e) {
        throw new IllegalArgumentException(
            "--since is '"
                + since
                + "', but must be an instant, as 2026-01-06T00:00:00Z, or a time ago, as '24 h'",
            e);
      }
    }
  }

  /** Opens the way to the lake; the properties of Kafka's clients. */
  private Properties connect() throws Exception {
    Map<String, String> settings;
    if (lake == null) {
      DetachedStack stack = DetachedStack.running(home.resolve(DetachedStack.FOLDER));
      settings = stack.flinkSettings();
      lake = "s3://" + Stack.BUCKET;
      brokers = stack.kafka().bootstrap();
    } else {
      settings = s3.access(environment).settings();
    }
    FileSystems.initialize(Configuration.fromMap(settings));
    return KafkaAccess.client(brokers, kafkaProperties);
  }

  /** Files that can hold a record that was rejected since then. */
  private List<Path> files(long from) throws IOException {
    List<Path> files = new ArrayList<>();
    TableFiles.visit(
        new Path(lake.replaceAll("/+$", ""), DeadLetterTable.SCHEMA.path()),
        DeadLetterTable.SCHEMA,
        folder -> {
          for (FileStatus file : folder.files()) {
            if (file.getModificationTime() >= from - CLOCKS_MS) {
              files.add(file.getPath());
            }
          }
        });
    return files;
  }

  private Survey read(List<Path> files, long from, ReplayManifest manifest, Sender sender)
      throws IOException {
    Survey survey = new Survey(new ArrayList<>(), new TreeMap<>());
    long left = limit;
    for (Path file : files) {
      boolean any = false;
      try (DeadLetterReader letters = new DeadLetterReader(file)) {
        for (StoredLetter letter = letters.next(); letter != null; letter = letters.next()) {
          if (!isMeant(letter, from)) {
            continue;
          }
          any = true;
          Outcome outcome = outcome(letter, manifest, left);
          if (outcome == Outcome.SENT) {
            left--;
            sender.send(letter);
          }
          survey
              .counts()
              .computeIfAbsent(
                  new Group(letter.origin().topic(), letter.attempt()),
                  g -> new EnumMap<>(Outcome.class))
              .merge(outcome, 1L, Long::sum);
        }
      }
      if (any) {
        survey.files().add(file);
      }
      sender.endOfFile();
    }
    return survey;
  }

  private boolean isMeant(StoredLetter letter, long from) {
    Origin origin = letter.origin();
    return (topics.isEmpty() || topics.contains(origin.topic()))
        && (origin.ingestedAt() == Origin.NO_TIME || origin.ingestedAt() >= from)
        && letter.reasons().stream().anyMatch(reasons::contains);
  }

  private Outcome outcome(StoredLetter letter, ReplayManifest manifest, long left) {
    if (letter.origin().kafkaTimestamp() == Origin.NO_TIME) {
      return Outcome.FROM_FILES;
    }
    if (!reasons.containsAll(letter.reasons())) {
      return Outcome.OTHER_REASONS;
    }
    if (letter.attempt() >= MAX_ATTEMPTS) {
      return Outcome.ATTEMPTS_USED_UP;
    }
    if (manifest.has(letter.origin(), letter.attempt() + 1)) {
      return Outcome.SENT_BEFORE;
    }
    return left > 0 ? Outcome.SENT : Outcome.OVER_LIMIT;
  }

  private void tell(Survey survey) {
    List<String> headings = new ArrayList<>(List.of("topic", "attempt", "dead letters"));
    for (Outcome outcome : Outcome.values()) {
      headings.add(dryRun && outcome == Outcome.SENT ? "to send" : outcome.heading);
    }
    List<List<String>> rows = new ArrayList<>();
    survey
        .counts()
        .forEach(
            (group, counts) -> {
              List<String> row = new ArrayList<>();
              row.add(group.topic());
              row.add(Integer.toString(group.attempt()));
              row.add(Long.toString(counts.values().stream().mapToLong(n -> n).sum()));
              for (Outcome outcome : Outcome.values()) {
                row.add(Long.toString(counts.getOrDefault(outcome, 0L)));
              }
              rows.add(row);
            });
    TextTable.print(print, new Rows(headings, rows));
  }
}
