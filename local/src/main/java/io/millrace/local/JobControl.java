package io.millrace.local;

import io.millrace.local.FlinkRest.Checkpoints;
import io.millrace.local.FlinkRest.Job;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.annotation.Nullable;

/**
 * Submits, saves, stops and upgrades the jobs of a stack, and says what it waits for.
 *
 * <p>A job is submitted as `flink run` does: its main class runs in a JVM of its own, with Flink's
 * jars and the job's, and of the very version that is submitted.
 */
final class JobControl {
  /** How long a version may take until its tasks run, and until its first checkpoint. */
  static final Duration PATIENCE = Duration.ofMinutes(3);

  private static final Duration SAVEPOINT_PATIENCE = Duration.ofMinutes(10);
  private static final Duration CLIENT_PATIENCE = Duration.ofMinutes(2);
  private static final long REPORT_NANOS = TimeUnit.SECONDS.toNanos(3);
  private static final Pattern SUBMITTED =
      Pattern.compile("Job has been submitted with JobID ([0-9a-f]{32})");
  private static final String TRACE_BEGINS = "The program finished with the following exception:";

  private final DetachedStack stack;
  private final FlinkRest rest;
  private final PrintStream print;

  /**
   * What an upgrade came to.
   *
   * @param failure why the new version was given up; null when it runs
   */
  record Upgraded(Submission running, @Nullable String failure) {}

  /** Whether something holds, and how far it is, for people to see. */
  private interface Step {
    /** Adds to the note how far it is; whether it is done. */
    boolean isDone(StringBuilder note) throws IOException;
  }

  JobControl(DetachedStack stack, PrintStream print) {
    this.stack = stack;
    this.rest = stack.flink();
    this.print = print;
  }

  /** The jar for clusters that the last build made. */
  static Path builtJar() {
    return BuildFiles.jar("cluster");
  }

  /** Submits a job, and returns when all of its tasks run. */
  Submission submit(
      JobKind kind, Path jar, List<String> given, int parallelism, @Nullable String savepoint)
      throws IOException {
    JobKind.Prepared prepared = kind.prepare(stack, given);
    for (Job job : rest.jobs()) {
      if (job.name().equals(prepared.jobName()) && !job.hasEnded()) {
        throw new CommandFailure(
            String.format(
                "%s is there already: job %s is %s; scripts/upgrade %s replaces it",
                kind.label(), job.id(), job.state(), kind.label()));
      }
    }
    Submission submission =
        launch(
            kind,
            new Submission(
                prepared.jobName(), "", keep(jar), prepared.arguments(), parallelism, savepoint));
    awaitTasks(submission);
    print.printf("%s runs as job %s%n", kind.label(), submission.jobId());
    return submission;
  }

  /** Takes a savepoint of a job, and returns where it lies. */
  String savepoint(JobKind kind) throws IOException {
    Job job = running(kind);
    return awaitSavepoint(job, rest.triggerSavepoint(job.id()));
  }

  /** Takes a savepoint with which the job ends, and returns where it lies. */
  String stop(JobKind kind) throws IOException {
    return stop(running(kind), false);
  }

  /**
   * The same.
   *
   * @param drain whether all windows are closed before, for good
   */
  String stop(Job job, boolean drain) throws IOException {
    String path = awaitSavepoint(job, rest.stopWithSavepoint(job.id(), drain));
    await(
        "the end of job " + job.id(),
        PATIENCE,
        note -> {
          String state = rest.progress(job.id()).state();
          note.append(state);
          return state.equals("FINISHED");
        });
    return path;
  }

  /**
   * Replaces a running job by another version, other arguments or another parallelism, from a
   * savepoint. When the new one does not come up, the old one goes on from that savepoint.
   *
   * @param given arguments that replace the former ones; null to keep them
   * @param parallelism 0 to keep the former one
   * @param patience for each step of the new version
   */
  Upgraded upgrade(
      JobKind kind, Path jar, @Nullable List<String> given, int parallelism, Duration patience)
      throws IOException {
    Job job = running(kind);
    Submission old =
        Submission.read(stack, kind)
            .filter(s -> s.jobName().equals(job.name()))
            .orElseThrow(
                () ->
                    new CommandFailure(
                        "job "
                            + job.id()
                            + " was not submitted by scripts/submit: how is not known"));
    List<String> arguments =
        given == null ? old.arguments() : kind.prepare(stack, withRunOf(old, given)).arguments();
    String copy = keep(jar);
    print.printf("stopping %s, job %s, with a savepoint%n", kind.label(), job.id());
    String savepoint = stop(job, false);
    print.println("savepoint  " + savepoint);
    Submission wanted =
        new Submission(
            old.jobName(),
            "",
            copy,
            arguments,
            parallelism == 0 ? old.parallelism() : parallelism,
            savepoint);
    String failure;
    String started = null;
    try {
      Submission next = launch(kind, wanted);
      started = next.jobId();
      print.println("started    job " + started);
      awaitProgress(next, patience);
      return new Upgraded(next, null);
    } catch (CommandFailure e) {
      failure = e.getMessage();
    }
    print.println("gave up    " + failure);
    if (started == null) {
      started = unheardOf(rest.jobs(), old.jobName());
    }
    return new Upgraded(rollBack(kind, old, started, savepoint, failure), failure);
  }

  /**
   * A job that a slow JobManager has taken without the client's hearing of it; null without one.
   *
   * @param jobs the newest first
   */
  @Nullable
  static String unheardOf(List<Job> jobs, String name) {
    return jobs.stream()
        .filter(job -> job.name().equals(name) && !job.hasEnded())
        .map(Job::id)
        .findFirst()
        .orElse(null);
  }

  /** A new version goes on with the old one's run in the ledger. */
  private static List<String> withRunOf(Submission old, List<String> given) {
    List<String> arguments = new ArrayList<>(given);
    int run = old.arguments().indexOf("--job.run-id");
    if (run >= 0 && !given.contains("--job.run-id")) {
      arguments.addAll(old.arguments().subList(run, run + 2));
    }
    return arguments;
  }

  private Submission rollBack(
      JobKind kind, Submission old, @Nullable String started, String savepoint, String failure)
      throws IOException {
    if (started != null) {
      end(started);
      Checkpoints written = rest.checkpoints(started);
      if (written.completed() > 0) {
        // What a checkpoint has committed can be read: the savepoint would write it once more.
        throw new CommandFailure(
            String.format(
                "the new version failed (%s) after it had committed %d checkpoints, so that the old"
                    + " one cannot go on from the savepoint without doubling rows. Nothing is lost."
                    + " Submit a version that runs: scripts/submit %s --from-savepoint %s",
                failure, written.completed(), kind.label(), written.lastPath()));
      }
    }
    Submission back =
        launch(
            kind,
            new Submission(
                old.jobName(), "", old.jar(), old.arguments(), old.parallelism(), savepoint));
    print.println("rolled back to the old version, job " + back.jobId());
    awaitProgress(back, PATIENCE);
    return back;
  }

  private void end(String job) throws IOException {
    if (!isEnded(rest.progress(job).state())) {
      rest.cancel(job);
    }
    await(
        "the end of job " + job,
        PATIENCE,
        note -> {
          String state = rest.progress(job).state();
          note.append(state);
          return isEnded(state);
        });
  }

  /** The one job of that kind that has not ended. */
  Job running(JobKind kind) throws IOException {
    Optional<Submission> last = Submission.read(stack, kind);
    return rest.jobs().stream()
        .filter(job -> !job.hasEnded())
        .filter(job -> last.isPresent() && job.name().equals(last.get().jobName()))
        .findFirst()
        .orElseThrow(
            () ->
                new CommandFailure(
                    "no "
                        + kind.label()
                        + " job runs; scripts/submit "
                        + kind.label()
                        + " starts one"));
  }

  private static boolean isEnded(String state) {
    return Set.of("FAILED", "CANCELED", "FINISHED").contains(state);
  }

  /** A copy of a jar by its content, so that the version that runs can be run again. */
  private String keep(Path jar) {
    try {
      Path jars = Files.createDirectories(stack.folder().resolve("jobs").resolve("jars"));
      byte[] bytes = Files.readAllBytes(jar);
      byte[] digest = MessageDigest.getInstance("SHA-256").digest(bytes);
      Path copy = jars.resolve(HexFormat.of().formatHex(digest).substring(0, 16) + ".jar");
      if (!Files.exists(copy)) {
        Path draft = Files.write(jars.resolve("draft"), bytes);
        Files.move(draft, copy, StandardCopyOption.ATOMIC_MOVE);
      }
      return copy.toString();
    } catch (IOException e) {
      throw new CommandFailure("cannot copy " + jar + ": " + e.getMessage(), e);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Runs the job's main class; the job is known to the JobManager when this returns. */
  private Submission launch(JobKind kind, Submission wanted) throws IOException {
    Path folder = Files.createDirectories(stack.folder().resolve("jobs"));
    Path conf = folder.resolve("client-conf");
    Map<String, String> settings = stack.flinkSettings();
    settings.put("rest.port", Integer.toString(rest.port()));
    settings.put("high-availability.type", "NONE");
    FlinkProcess.writeConf(conf, settings);
    Path log = folder.resolve(kind.label() + "-submit.log");
    List<String> line = new ArrayList<>(FlinkProcess.client(conf, folder.resolve("client.log")));
    line.addAll(
        List.of(
            "org.apache.flink.client.cli.CliFrontend",
            "run",
            "-t",
            "remote",
            "-d",
            "-p",
            Integer.toString(wanted.parallelism()),
            "-c",
            kind.mainClass()));
    if (wanted.savepoint() != null) {
      line.addAll(List.of("-s", wanted.savepoint()));
    }
    line.add(wanted.jar());
    line.addAll(wanted.arguments());
    print.printf("submitting %s at parallelism %d%n", kind.label(), wanted.parallelism());
    ProcessBuilder client = new ProcessBuilder(line).redirectErrorStream(true);
    client.environment().putAll(FlinkProcess.environment(conf));
    Process process = client.redirectOutput(log.toFile()).start();
    try {
      if (!process.waitFor(CLIENT_PATIENCE.toMillis(), TimeUnit.MILLISECONDS)) {
        process.destroyForcibly();
        throw new CommandFailure(
            kind.label()
                + " was not submitted within "
                + CLIENT_PATIENCE.toSeconds()
                + " s; see "
                + log);
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
      throw new CommandFailure("interrupted while submitting " + kind.label(), e);
    }
    String said = Files.readString(log, StandardCharsets.UTF_8);
    Matcher submitted = SUBMITTED.matcher(said);
    if (!submitted.find()) {
      int trace = said.indexOf(TRACE_BEGINS);
      throw new CommandFailure(
          kind.label()
              + " was not submitted: "
              + Failures.rootOf(trace < 0 ? said : said.substring(trace + TRACE_BEGINS.length()))
              + " (all of it: "
              + log
              + ")");
    }
    Submission done =
        new Submission(
            wanted.jobName(),
            submitted.group(1),
            wanted.jar(),
            wanted.arguments(),
            wanted.parallelism(),
            wanted.savepoint());
    done.write(stack, kind);
    return done;
  }

  private void awaitTasks(Submission job) throws IOException {
    awaitTasks(job, PATIENCE);
  }

  private void awaitTasks(Submission job, Duration patience) throws IOException {
    String[] last = {""};
    await(
        "every task of job " + job.jobId(),
        patience,
        note -> {
          FlinkRest.Progress progress = rest.progress(job.jobId());
          last[0] = progress.state();
          note.append(progress.running() + " of " + progress.tasks() + " run");
          if (!progress.state().equals("RUNNING")) {
            note.append(", the job is ").append(progress.state());
          }
          return progress.everyTaskRuns() || isEnded(progress.state());
        },
        () -> failureOf(job));
    if (isEnded(last[0]) && !last[0].equals("FINISHED")) {
      throw new CommandFailure("job " + job.jobId() + " is " + last[0] + failureOf(job));
    }
  }

  private String failureOf(Submission job) {
    try {
      String failure = rest.lastFailure(job.jobId());
      return failure == null ? "" : ": " + failure;
    } catch (IOException e) {
      return "";
    }
  }

  /** All tasks run, records move (or there are none to read), and a checkpoint is complete. */
  private void awaitProgress(Submission job, Duration patience) throws IOException {
    awaitTasks(job, patience);
    await(
        "records to move",
        patience,
        note -> {
          long read = rest.progress(job.jobId()).recordsRead();
          long pending = read > 0 ? 0 : rest.pending(job.jobId());
          note.append(read + " read");
          return read > 0 || pending == 0;
        },
        () -> failureOf(job));
    await(
        "a checkpoint of job " + job.jobId(),
        patience,
        note -> {
          Checkpoints checkpoints = rest.checkpoints(job.jobId());
          note.append(checkpoints.completed() + " complete, " + checkpoints.failed() + " failed");
          return checkpoints.completed() > 0;
        },
        () -> failureOf(job));
  }

  private String awaitSavepoint(Job job, String request) {
    String[] path = {null};
    String[] failure = {null};
    await(
        "the savepoint of job " + job.id(),
        SAVEPOINT_PATIENCE,
        note -> {
          try {
            path[0] = rest.savepoint(job.id(), request);
          } catch (FlinkRest.SavepointFailure e) {
            failure[0] = e.getMessage();
          }
          return path[0] != null || failure[0] != null;
        });
    if (failure[0] != null) {
      throw new CommandFailure(failure[0]);
    }
    return path[0];
  }

  private void await(String what, Duration patience, Step step) {
    await(what, patience, step, () -> "");
  }

  private void await(String what, Duration patience, Step step, Supplier<String> why) {
    long[] told = {System.nanoTime()};
    String[] last = {""};
    try {
      Await.until(
          what,
          patience,
          () -> {
            StringBuilder note = new StringBuilder();
            boolean done = step.isDone(note);
            last[0] = note.toString();
            if (!done && System.nanoTime() - told[0] >= REPORT_NANOS) {
              told[0] = System.nanoTime();
              print.println("waiting for " + what + (note.isEmpty() ? "" : ": " + note));
            }
            return done;
          });
    } catch (IllegalStateException e) {
      throw new CommandFailure(
          String.format(
              "gave up waiting for %s after %d s%s%s",
              what, patience.toSeconds(), last[0].isEmpty() ? "" : " (" + last[0] + ")", why.get()),
          e);
    }
  }

  /** What the JobManager knows of each kind's last submission, as rows of a table. */
  List<List<String>> table(long now) throws IOException {
    Map<String, String> kinds =
        Stream.of(JobKind.values())
            .filter(kind -> Submission.read(stack, kind).isPresent())
            .collect(
                Collectors.toMap(
                    kind -> Submission.read(stack, kind).orElseThrow().jobId(), JobKind::label));
    List<List<String>> rows = new ArrayList<>();
    for (Job job : rest.jobs()) {
      FlinkRest.Progress progress = rest.progress(job.id());
      Checkpoints checkpoints = rest.checkpoints(job.id());
      rows.add(
          List.of(
              kinds.getOrDefault(job.id(), "-"),
              job.name(),
              job.state(),
              progress.running() + "/" + progress.tasks(),
              Integer.toString(progress.parallelism()),
              Long.toString(checkpoints.completed()),
              checkpoints.lastEnd() == 0 ? "-" : (now - checkpoints.lastEnd()) / 1000 + " s ago",
              Long.toString(rest.restarts(job.id())),
              job.id()));
    }
    return rows;
  }
}
