package io.millrace.transform.sql;

import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.annotation.Nullable;
import net.sf.jsqlparser.JSQLParserException;
import net.sf.jsqlparser.parser.CCJSqlParserConstants;
import net.sf.jsqlparser.parser.CCJSqlParserTokenManager;
import net.sf.jsqlparser.parser.CCJSqlParserUtil;
import net.sf.jsqlparser.parser.SimpleCharStream;
import net.sf.jsqlparser.parser.StringProvider;
import net.sf.jsqlparser.parser.Token;
import net.sf.jsqlparser.parser.TokenMgrException;
import net.sf.jsqlparser.statement.Statement;
import net.sf.jsqlparser.statement.select.Select;

/**
 * One SELECT that only reads, made of a text that somebody wrote.
 *
 * <p>The text is parsed, its words are looked through, and what is sent is put together of those
 * very words, without comments. So the database sees no more than was checked, except where its
 * reading of quotes may differ from the parser's: such spellings are refused. The read-only
 * transaction that the query runs in is the second lock.
 */
public final class ReadOnlyQuery {
  private static final int LONGEST = 100_000;
  private static final int DEEPEST = 50;
  private static final Duration PARSING = Duration.ofSeconds(10);
  private static final Pattern PLACE = Pattern.compile("line (\\d+), column (\\d+)");

  /** {@code 'x'}, {@code E'x'}, {@code N'x'}, {@code B'1'}; no other prefix, and no dollars. */
  private static final Pattern LITERAL = Pattern.compile("[eEnNbB]?'.*'", Pattern.DOTALL);

  /** What reaches files, other servers, settings and other sessions, or runs SQL given as text. */
  private static final List<String> REFUSED_PREFIXES =
      List.of("pg_", "lo_", "dblink", "postgres_fdw_", "http", "crosstab");

  private static final Set<String> REFUSED =
      Set.of(
          "set_config",
          "setval",
          "nextval",
          "loread",
          "lowrite",
          "ts_stat",
          "ts_rewrite",
          "xpath_table",
          "connectby",
          "current_setting");

  private static final Set<String> ALLOWED =
      Set.of("pg_typeof", "pg_column_size", "pg_size_pretty");

  private final String sql;
  private final boolean ordered;

  private ReadOnlyQuery(String sql, boolean ordered) {
    this.sql = sql;
    this.ordered = ordered;
  }

  /**
   * Checks a text.
   *
   * @throws IllegalArgumentException when it is not one SELECT that only reads; one line, which
   *     does not repeat the query
   */
  public static ReadOnlyQuery of(String text) {
    if (text.length() > LONGEST) {
      throw new IllegalArgumentException(
          "query has " + text.length() + " characters, but may have at most " + LONGEST);
    }
    String sql;
    try {
      sql = words(text);
    } catch (TokenMgrException e) {
      throw unreadable(e.getMessage());
    }
    // The text for the places of its errors, and what is sent for good.
    requireOneSelect(text);
    Select select = requireOneSelect(sql);
    return new ReadOnlyQuery(sql, select.getOrderByElements() != null);
  }

  /** What to send, in one or more lines, without a semicolon. */
  public String sql() {
    return sql;
  }

  /** Whether the rows come in an order that the query asks for. */
  public boolean isOrdered() {
    return ordered;
  }

  private static Select requireOneSelect(String sql) {
    ExecutorService executor =
        Executors.newSingleThreadExecutor(
            task -> {
              Thread thread = new Thread(task, "parse-query");
              thread.setDaemon(true);
              return thread;
            });
    List<Statement> statements;
    try {
      statements =
          CCJSqlParserUtil.parseStatements(
              sql, executor, parser -> parser.withTimeOut(PARSING.toMillis()));
    } catch (JSQLParserException | TokenMgrException e) {
      throw unreadable(e.getMessage());
    } finally {
      executor.shutdownNow();
    }
    if (statements.size() != 1) {
      throw new IllegalArgumentException(
          "query holds " + statements.size() + " statements, but must be one SELECT");
    }
    if (!(statements.get(0) instanceof Select select)) {
      throw notSelect();
    }
    return select;
  }

  /** The words of the text, each with a space before it where there was anything between. */
  private static String words(String text) {
    CCJSqlParserTokenManager words =
        new CCJSqlParserTokenManager(new SimpleCharStream(new StringProvider(text)));
    StringBuilder sql = new StringBuilder();
    Token before = null;
    int depth = 0;
    for (Token word = words.getNextToken();
        word.kind != CCJSqlParserConstants.EOF;
        word = words.getNextToken()) {
      if (before != null && before.kind == CCJSqlParserConstants.ST_SEMICOLON) {
        throw new IllegalArgumentException(
            "query goes on after its end, but must be one statement");
      }
      if (before == null) {
        requireStart(word);
      } else {
        check(before, word);
        if (word.absoluteBegin > before.absoluteEnd) {
          sql.append(' ');
        }
      }
      depth += "(".equals(word.image) ? 1 : ")".equals(word.image) ? -1 : 0;
      if (depth > DEEPEST) {
        throw new IllegalArgumentException(
            "query nests more than " + DEEPEST + " pairs of parentheses");
      }
      checkSpelling(word);
      if (word.kind != CCJSqlParserConstants.ST_SEMICOLON) {
        sql.append(word.image);
      }
      before = word;
    }
    if (before == null) {
      throw notSelect();
    }
    return sql.toString();
  }

  private static void requireStart(Token word) {
    if (!Set.of("SELECT", "WITH", "(").contains(word.image.toUpperCase(Locale.ROOT))) {
      throw notSelect();
    }
  }

  private static void check(Token before, Token word) {
    String first = before.image.toUpperCase(Locale.ROOT);
    String second = word.image.toUpperCase(Locale.ROOT);
    if (second.equals("INTO")) {
      throw new IllegalArgumentException(
          "query has INTO" + at(word) + ", which writes; it may only read");
    }
    // Behind a parenthesis that closes there may be another WITH.
    if ((first.equals("(") || first.equals(")"))
        && Set.of("INSERT", "UPDATE", "DELETE", "MERGE").contains(second)) {
      throw new IllegalArgumentException(
          "query has " + second + at(word) + ", which writes; it may only read");
    }
    if (first.equals("FOR") && Set.of("UPDATE", "SHARE", "NO", "KEY").contains(second)) {
      throw new IllegalArgumentException(
          "query has FOR " + second + at(before) + ", which locks rows; it may only read");
    }
    if (second.equals("(")) {
      requireHarmless(before);
    }
    if (first.equals("E") && second.startsWith("'") && second.contains("\\'")) {
      throw ambiguous("a backslash before a quote", word);
    }
    if (first.equals("U") && second.equals("&")) {
      throw ambiguous("U&", before);
    }
  }

  /** Refuses what the database might end elsewhere than the parser does. */
  private static void checkSpelling(Token word) {
    String image = word.image;
    boolean named =
        word.kind == CCJSqlParserConstants.S_IDENTIFIER
            || word.kind == CCJSqlParserConstants.S_QUOTED_IDENTIFIER;
    if (word.kind == CCJSqlParserConstants.S_CHAR_LITERAL) {
      if (!LITERAL.matcher(image).matches()) {
        throw ambiguous("a text in other quotes than '...'", word);
      }
      if (!image.startsWith("'") && image.contains("\\'")) {
        throw ambiguous("a backslash before a quote", word);
      }
    } else if (named && !image.startsWith("\"") && (image.contains("$") || image.startsWith("`"))) {
      throw ambiguous("a name with $ or in backquotes", word);
    } else if (image.equals("{") || image.startsWith("`")) {
      throw ambiguous(image.substring(0, 1), word);
    }
  }

  private static void requireHarmless(Token function) {
    String name = function.image.toLowerCase(Locale.ROOT);
    if (name.startsWith("\"") && name.endsWith("\"") && name.length() > 1) {
      name = name.substring(1, name.length() - 1);
    }
    boolean refused =
        REFUSED.contains(name)
            || name.contains("_to_xml")
            || REFUSED_PREFIXES.stream().anyMatch(name::startsWith);
    if (refused && !ALLOWED.contains(name)) {
      throw new IllegalArgumentException(
          "query calls " + name + at(function) + ", which does more than read tables");
    }
  }

  private static IllegalArgumentException notSelect() {
    return new IllegalArgumentException("query must be one SELECT, or WITH ... SELECT");
  }

  private static IllegalArgumentException ambiguous(String what, Token word) {
    return new IllegalArgumentException(
        "query has " + what + at(word) + ", which may be read in two ways; write it otherwise");
  }

  private static String at(Token word) {
    return " in line " + word.beginLine + ", column " + word.beginColumn;
  }

  private static IllegalArgumentException unreadable(@Nullable String message) {
    Matcher place = PLACE.matcher(message == null ? "" : message);
    return new IllegalArgumentException(
        "query cannot be read as SQL"
            + (place.find() ? ": line " + place.group(1) + ", column " + place.group(2) : ""));
  }
}
