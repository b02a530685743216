package io.millrace.local;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import javax.annotation.Nullable;

/**
 * Decides, request by request, which steps of uploads to S3 fail, and how. The same seed and the
 * same order of requests give the same decisions.
 */
public final class S3Faults {

  /** A request, by what it does to an upload. */
  public enum Operation {
    CREATE,
    UPLOAD_PART,
    COMPLETE,
    /** An object in one request, or as a copy. */
    PUT,
    /** Whatever reads or removes. */
    OTHER;

    /** Tells it by the first line of the request. */
    static Operation of(String requestLine) {
      String[] words = requestLine.split(" ", 3);
      int question = words.length < 2 ? -1 : words[1].indexOf('?');
      if (question < 0) {
        return words[0].equals("PUT") ? PUT : OTHER;
      }
      List<String> names = new ArrayList<>();
      for (String parameter : words[1].substring(question + 1).split("&", -1)) {
        names.add(parameter.split("=", 2)[0]);
      }
      if (words[0].equals("POST") && names.contains("uploads")) {
        return CREATE;
      }
      if (words[0].equals("PUT") && names.contains("partNumber")) {
        return UPLOAD_PART;
      }
      return words[0].equals("POST") && names.contains("uploadId") ? COMPLETE : OTHER;
    }

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
  }

  /** How a request fails. */
  public enum Fault {
    ANSWER_503,
    ANSWER_500,
    ANSWER_429,
    /** The right to do it is gone; clients do not try again. */
    ANSWER_403,
    /** The connection is reset: half of the times before the server gets the request. */
    RESET,
    /** Silence, then the connection is closed; the server never gets the request. */
    STALL,
    /** Silence until {@link FaultyS3#release}, then the connection is closed. */
    HOLD
  }

  /** What becomes of one request. */
  enum Outcome {
    PASS,
    ANSWER_503,
    ANSWER_500,
    ANSWER_429,
    ANSWER_403,
    RESET,
    /** The server does what it is asked, and the client gets a reset instead of the answer. */
    LOSE_ANSWER,
    STALL,
    HOLD
  }

  /**
   * Requests of an operation below a path fail.
   *
   * @param path what the request's path begins with, as `/bucket/`
   * @param percent of them, 0 to 100
   */
  public record Rule(Operation operation, String path, Fault fault, int percent) {
    public Rule {
      if (percent < 0 || percent > 100) {
        throw new IllegalArgumentException("percent is " + percent + ", but must be 0 to 100");
      }
    }
  }

  /**
   * What became of the requests of an operation.
   *
   * @param calls all of them, below any path
   */
  public record Count(long calls, long faults) {}

  private final Random dice;
  private final Map<Operation, long[]> counts = new EnumMap<>(Operation.class);
  private List<Rule> rules = List.of();

  S3Faults(long seed) {
    dice = new Random(seed);
    for (Operation operation : Operation.values()) {
      counts.put(operation, new long[2]);
    }
  }

  /** Replaces all rules; the first one that fits a request decides. */
  synchronized void set(List<Rule> wanted) {
    rules = List.copyOf(wanted);
  }

  synchronized Count count(Operation operation) {
    long[] count = counts.get(operation);
    return new Count(count[0], count[1]);
  }

  @Nullable
  private Rule ruleFor(String requestLine) {
    Operation operation = Operation.of(requestLine);
    for (Rule rule : rules) {
      if (rule.operation() == operation && requestLine.contains(" " + rule.path())) {
        return rule;
      }
    }
    return null;
  }

  synchronized Outcome decide(String requestLine) {
    long[] count = counts.get(Operation.of(requestLine));
    count[0]++;
    Rule rule = ruleFor(requestLine);
    if (rule == null || dice.nextInt(100) >= rule.percent()) {
      return Outcome.PASS;
    }
    count[1]++;
    return switch (rule.fault()) {
      case ANSWER_503 -> Outcome.ANSWER_503;
      case ANSWER_500 -> Outcome.ANSWER_500;
      case ANSWER_429 -> Outcome.ANSWER_429;
      case ANSWER_403 -> Outcome.ANSWER_403;
      case RESET -> dice.nextBoolean() ? Outcome.RESET : Outcome.LOSE_ANSWER;
      case STALL -> Outcome.STALL;
      case HOLD -> Outcome.HOLD;
    };
  }
}
