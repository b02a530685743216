package io.millrace.transform.llm;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.millrace.config.Secret;
import io.millrace.transform.llm.ChatClient.LlmException;
import io.millrace.transform.llm.ChatClient.Message;
import io.millrace.transform.llm.ChatClient.Patience;
import io.millrace.transform.llm.ChatClient.Settings;
import java.io.IOException;
import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicLong;
import javax.annotation.Nullable;
import org.apache.commons.codec.digest.DigestUtils;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.streaming.api.functions.async.ResultFuture;
import org.apache.flink.streaming.api.functions.async.RichAsyncFunction;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.StringData;

/**
 * Replaces placeholders in one text column by what a language model answers, one call each, and
 * adds what it did as four INT columns at the row's end: completed, calls, cache hits, left over.
 *
 * <p>The budget of calls and the cache hold for one task from its start, so the operator runs with
 * parallelism 1; requests overlap nevertheless. What the cache file of earlier runs holds costs
 * nothing again.
 */
public final class CompleteTexts extends RichAsyncFunction<RowData, RowData> {
  private static final long serialVersionUID = 1L;

  /** What is added to each row. */
  static final List<String> ADDED =
      List.of("llm_completed", "llm_calls", "llm_cache_hits", "llm_left");

  /** Placeholders of one row that are asked about. */
  static final int MOST_PER_ROW = 50;

  private static final long MOST_CACHED = 100_000;

  /**
   * What to complete, and how.
   *
   * @param textColumn its position
   * @param maxRows rows with a placeholder that are completed, from the first on; negative for all
   * @param maxCalls calls that may be made; rows after that keep their placeholder
   * @param keepOnError whether a row that gets no answer keeps its placeholder, or fails the job
   * @param cacheFile where answers are kept between runs, or null
   */
  record Plan(
      RowData.FieldGetter[] fields,
      int textColumn,
      String placeholder,
      Settings settings,
      long maxRows,
      long maxCalls,
      boolean keepOnError,
      @Nullable String cacheFile)
      implements Serializable {}

  private final Plan plan;
  private final LlmEndpoint endpoint;
  @Nullable private final Secret key;
  private final Patience patience;

  private transient ChatClient client;
  private transient Cache<String, CompletableFuture<String>> cache;
  private transient AnswerFile kept;
  private transient AtomicLong callsLeft;
  private transient long rowsSeen;

  CompleteTexts(Plan plan, LlmEndpoint endpoint, @Nullable Secret key, Patience patience) {
    this.plan = plan;
    this.endpoint = endpoint;
    this.key = key;
    this.patience = patience;
  }

  /** The prompt of the system that this replaces. */
  static String prompt(String placeholder, String text) {
    return "Read the following text and replace "
        + placeholder
        + " with another natural word or phrase:\nText: "
        + text
        + "\nCompletion:";
  }

  @Override
  public void open(OpenContext context) throws IOException {
    client = new ChatClient(endpoint, key, patience);
    cache = Caffeine.newBuilder().maximumSize(MOST_CACHED).build();
    callsLeft = new AtomicLong(plan.maxCalls());
    if (plan.cacheFile() != null) {
      kept = AnswerFile.open(Path.of(plan.cacheFile()));
    }
  }

  @Override
  public void close() throws IOException {
    if (client != null) {
      client.close();
    }
    if (kept != null) {
      kept.close();
    }
  }

  @Override
  public void asyncInvoke(RowData row, ResultFuture<RowData> result) {
    // The row is reused by what is in front; what is asked must not change meanwhile.
    Object[] values = new Object[plan.fields().length];
    for (int i = 0; i < values.length; i++) {
      values[i] = plan.fields()[i].getFieldOrNull(row);
    }
    String text = values[plan.textColumn()] == null ? null : values[plan.textColumn()].toString();
    boolean asks =
        text != null
            && text.contains(plan.placeholder())
            && (plan.maxRows() < 0 || rowsSeen < plan.maxRows());
    if (!asks) {
      result.complete(List.of(finished(row, values, text, new Effort())));
      return;
    }
    rowsSeen++;
    Effort effort = new Effort();
    CompletableFuture<String> unused =
        step(text, effort)
            .whenComplete(
                (completed, failure) -> {
                  if (failure != null) {
                    result.completeExceptionally(failure);
                  } else {
                    result.complete(List.of(finished(row, values, completed, effort)));
                  }
                });
  }

  /** What one row took. */
  private static final class Effort {
    private int completed;
    private int calls;
    private int hits;
    private int left;
  }

  /** Replaces the first placeholder, then goes on with the text that this gives. */
  private CompletableFuture<String> step(String text, Effort effort) {
    if (!text.contains(plan.placeholder())) {
      return CompletableFuture.completedFuture(text);
    }
    if (effort.completed == MOST_PER_ROW) {
      effort.left = 1;
      return CompletableFuture.completedFuture(text);
    }
    CompletableFuture<String> answer = answer(text, effort);
    if (answer == null) {
      effort.left = 1;
      return CompletableFuture.completedFuture(text);
    }
    CompletableFuture<String> next =
        answer.thenCompose(
            completion -> {
              effort.completed++;
              return step(replaceFirst(text, completion), effort);
            });
    if (!plan.keepOnError()) {
      return next;
    }
    return next.exceptionallyCompose(
        failure -> {
          Throwable cause =
              failure instanceof CompletionException wrapped ? wrapped.getCause() : failure;
          if (!(cause instanceof LlmException)) {
            return CompletableFuture.failedFuture(cause);
          }
          effort.left = 1;
          return CompletableFuture.completedFuture(text);
        });
  }

  private String replaceFirst(String text, String completion) {
    int at = text.indexOf(plan.placeholder());
    // An answer that repeats the placeholder would be asked about again and again.
    String safe = completion.replace(plan.placeholder(), "").strip();
    return text.substring(0, at) + safe + text.substring(at + plan.placeholder().length());
  }

  /** The answer, from the cache where it is known; null when the budget is used up. */
  @Nullable
  private CompletableFuture<String> answer(String text, Effort effort) {
    String prompt = prompt(plan.placeholder(), text);
    Settings settings = plan.settings();
    String hash =
        DigestUtils.sha256Hex(
            (settings.model()
                    + '\n'
                    + settings.maxTokens()
                    + '\n'
                    + settings.temperature()
                    + '\n'
                    + prompt)
                .getBytes(StandardCharsets.UTF_8));
    synchronized (this) {
      CompletableFuture<String> known = cache.getIfPresent(hash);
      if (known == null && kept != null && kept.find(hash) != null) {
        known = CompletableFuture.completedFuture(kept.find(hash));
      }
      if (known != null && !known.isCompletedExceptionally()) {
        effort.hits++;
        return known;
      }
      if (callsLeft.getAndUpdate(left -> Math.max(0, left - 1)) == 0) {
        return null;
      }
      effort.calls++;
      CompletableFuture<String> asked =
          client.complete(List.of(new Message("user", prompt)), settings);
      if (kept != null) {
        asked = asked.thenApply(answer -> kept.keep(hash, answer));
      }
      cache.put(hash, asked);
      return asked;
    }
  }

  private RowData finished(RowData row, Object[] values, @Nullable String text, Effort effort) {
    GenericRowData out = new GenericRowData(row.getRowKind(), values.length + ADDED.size());
    for (int i = 0; i < values.length; i++) {
      out.setField(i, values[i]);
    }
    out.setField(plan.textColumn(), text == null ? null : StringData.fromString(text));
    out.setField(values.length, effort.completed);
    out.setField(values.length + 1, effort.calls);
    out.setField(values.length + 2, effort.hits);
    out.setField(values.length + 3, effort.left);
    return out;
  }
}
