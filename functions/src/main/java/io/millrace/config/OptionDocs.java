package io.millrace.config;

import io.millrace.config.OptionSet.Declared;
import io.millrace.config.OptionSet.Prefix;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import org.apache.flink.configuration.description.Formatter;
import org.apache.flink.configuration.description.TextElement.TextStyle;

/** Texts about options that are generated from their declarations: the docs' table and the help. */
public final class OptionDocs {
  /** Set to true, it makes {@link #verify} write the file instead of comparing it. */
  public static final String UPDATE_PROPERTY = "millrace.docs.update";

  private static final int HELP_WIDTH = 90;

  private OptionDocs() {}

  /** A table of every option and prefix: key, type, default, description. */
  public static String markdown(OptionSet options) {
    StringBuilder table = new StringBuilder();
    row(table, "Key", "Type", "Default", "Description");
    row(table, "---", "---", "---", "---");
    for (Declared<?> declared : options.declared().values()) {
      row(
          table,
          code(declared.option().key()),
          type(declared),
          declared.option().hasDefaultValue()
              ? defaultCell(declared)
              : declared.kind().isRequired() ? "required" : "none",
          description(declared, true));
    }
    for (Prefix prefix : options.prefixes().values()) {
      row(table, code(prefix.name() + ".*"), "any", "none", prefix.description());
    }
    return table.toString();
  }

  /** What {@code --help} prints. */
  public static String help(String usage, OptionSet options) {
    StringBuilder help = new StringBuilder("Usage: ").append(usage).append("\n\n");
    entry(help, "--config FILE", "A YAML file of the options below; arguments replace its values.");
    for (Declared<?> declared : options.declared().values()) {
      String value =
          declared.option().hasDefaultValue()
              ? "default: " + emptyShown(OptionType.text(declared.option().defaultValue()))
              : declared.kind().isRequired() ? "required" : "optional";
      entry(
          help,
          "--" + declared.option().key() + " <" + type(declared) + ">  (" + value + ")",
          description(declared, false));
    }
    for (Prefix prefix : options.prefixes().values()) {
      entry(help, "--" + prefix.name() + ".* <any>", prefix.description());
    }
    return help.toString();
  }

  /** Whether the arguments ask for help instead of a run. */
  public static boolean helpWanted(String... arguments) {
    return Arrays.asList(arguments).contains("--help");
  }

  /**
   * Compares a generated file with what would be generated now, or writes it when {@code
   * -Dmillrace.docs.update=true} is set.
   *
   * @throws AssertionError when the file is stale, saying how to generate it
   */
  public static void verify(Path file, String generated) {
    try {
      if (Boolean.getBoolean(UPDATE_PROPERTY)) {
        if (file.getParent() != null) {
          Files.createDirectories(file.getParent());
        }
        Files.writeString(file, generated);
      } else if (!Files.exists(file) || !Files.readString(file).equals(generated)) {
        throw new AssertionError(
            file.getFileName()
                + (Files.exists(file) ? " is stale" : " is missing")
                + ": run this test with -D"
                + UPDATE_PROPERTY
                + "=true and commit the file");
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * The same for a part of a file that is written by hand: what stands between the lines {@code
   * <!-- generated: NAME -->} and {@code <!-- end: NAME -->}.
   */
  public static void verifySection(Path file, String name, String generated) {
    String begin = "<!-- generated: " + name + " -->\n";
    String end = "<!-- end: " + name + " -->\n";
    try {
      String page = Files.readString(file);
      int from = page.indexOf(begin) + begin.length();
      int to = page.indexOf(end);
      if (from < begin.length() || to < from) {
        throw new AssertionError(
            file.getFileName()
                + " has no section between "
                + begin.strip()
                + " and "
                + end.strip());
      }
      verify(file, page.substring(0, from) + generated + page.substring(to));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String type(Declared<?> declared) {
    return declared.kind().isSecret() ? "secret reference" : declared.type().name();
  }

  private static String defaultCell(Declared<?> declared) {
    return code(emptyShown(OptionType.text(declared.option().defaultValue())));
  }

  private static String emptyShown(String value) {
    return value.isEmpty() ? "(empty)" : value;
  }

  private static String description(Declared<?> declared, boolean markdown) {
    String text = new TextOf(markdown).format(declared.option().description()).trim();
    String checks = declared.checks().stream().map(Check::mustBe).collect(Collectors.joining(", "));
    if (checks.isEmpty()) {
      return text;
    }
    return (text + " Must be " + checks + ".").trim();
  }

  private static String code(String text) {
    return "`" + text + "`";
  }

  private static void row(StringBuilder table, String... cells) {
    String row =
        Arrays.stream(cells)
            .map(cell -> cell.replace("|", "\\|").replace("\n", "<br>"))
            .collect(Collectors.joining(" | ", "| ", " |"));
    table.append(row).append('\n');
  }

  private static void entry(StringBuilder help, String head, String text) {
    help.append("  ").append(head).append('\n');
    for (String paragraph : text.split("\n", -1)) {
      StringBuilder line = new StringBuilder("     ");
      for (String word : paragraph.split(" ", -1)) {
        if (line.length() + 1 + word.length() > HELP_WIDTH) {
          help.append(line).append('\n');
          line = new StringBuilder("     ");
        }
        line.append(' ').append(word);
      }
      help.append(line.toString().stripTrailing()).append('\n');
    }
  }

  /** Flink's structured descriptions as Markdown or as plain text. */
  private static final class TextOf extends Formatter {
    private final boolean markdown;

    private TextOf(boolean markdown) {
      this.markdown = markdown;
    }

    @Override
    protected void formatLink(StringBuilder state, String link, String description) {
      state.append(markdown ? "[" + description + "](" + link + ")" : description + " " + link);
    }

    @Override
    protected void formatLineBreak(StringBuilder state) {
      state.append('\n');
    }

    @Override
    protected void formatText(
        StringBuilder state, String format, String[] elements, EnumSet<TextStyle> styles) {
      String formatted = String.format(Locale.ROOT, format, (Object[]) elements);
      boolean code = markdown && styles.contains(TextStyle.CODE);
      state.append(code ? code(formatted) : formatted);
    }

    @Override
    protected void formatList(StringBuilder state, String[] entries) {
      List.of(entries).forEach(entry -> state.append("\n- ").append(entry));
    }

    @Override
    protected Formatter newInstance() {
      return new TextOf(markdown);
    }
  }
}
