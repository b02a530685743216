package io.millrace.pipeline;

import com.fasterxml.jackson.databind.JsonNode;
import io.millrace.transform.Catalog;
import io.millrace.transform.Declaration;
import io.millrace.transform.Declaration.Kind;
import io.millrace.transform.Parameter;
import io.millrace.transform.Transform;
import java.util.List;

/** The catalog for people: the page that is generated from the declarations, and for terminals. */
public final class CatalogPage {
  private static final String NONE = "none";

  private CatalogPage() {}

  /** The page in Markdown. */
  public static String markdown(Catalog catalog) {
    StringBuilder page = new StringBuilder();
    page.append(
        """
        # Catalog

        What a step of a pipeline can be. This page is generated from the declarations of the
        entries; `scripts/pipeline catalog SERVICE` prints a part of it, and the JSON Schema
        [pipeline.schema.json](../jobs/pipelines/pipeline.schema.json) holds the same for editors.

        A parameter that is not given, or null, has its default. Secrets are given by reference, as
        `env:NAME` or `file:/path`. Every example is a whole pipeline, and run by a test.

        | service | inputs | does |
        |---|---|---|
        """);
    for (Declaration declaration : declarations(catalog)) {
      String service = declaration.service();
      page.append(
          "| [`%s`](#%s) | %s | %s |\n"
              .formatted(service, service, inputs(declaration), cell(declaration.summary())));
    }
    for (Kind kind : Kind.values()) {
      List<Declaration> entries =
          declarations(catalog).stream().filter(entry -> entry.kind() == kind).toList();
      if (!entries.isEmpty()) {
        page.append("\n## ").append(title(kind)).append('\n');
        entries.forEach(entry -> section(entry, page));
      }
    }
    return page.toString();
  }

  private static void section(Declaration declaration, StringBuilder page) {
    page.append("\n### ").append(declaration.service()).append("\n\n");
    page.append(declaration.summary()).append(" Takes ").append(inputs(declaration)).append(".\n");
    if (!declaration.parameters().isEmpty()) {
      page.append("\n| parameter | value | default | meaning |\n|---|---|---|---|\n");
      for (Parameter parameter : declaration.parameters()) {
        String fallback = fallback(parameter);
        page.append(
            "| `%s` | %s | %s | %s |\n"
                .formatted(
                    parameter.name(),
                    cell(ParameterCheck.allowed(parameter)),
                    fallback.equals(NONE) || (parameter.required() && parameter.fallback() == null)
                        ? fallback
                        : "`" + cell(fallback) + "`",
                    cell(parameter.doc())));
      }
    }
    for (String example : declaration.examples()) {
      page.append("\n```yaml\n").append(example.strip()).append("\n```\n");
    }
  }

  /** One line per entry, for a terminal. */
  public static String list(Catalog catalog) {
    int width = catalog.services().stream().mapToInt(String::length).max().orElse(0);
    StringBuilder text = new StringBuilder();
    for (Declaration declaration : declarations(catalog)) {
      text.append(
          ("%-" + width + "s  %s\n").formatted(declaration.service(), declaration.summary()));
    }
    return text.toString();
  }

  /** One entry, for a terminal. */
  public static String entry(Declaration declaration) {
    StringBuilder text = new StringBuilder();
    text.append(declaration.service()).append(": ").append(declaration.summary());
    text.append("\nTakes ").append(inputs(declaration)).append(".\n");
    for (Parameter parameter : declaration.parameters()) {
      text.append("\n  ").append(parameter.name());
      text.append(": ").append(ParameterCheck.allowed(parameter));
      text.append(" (").append(parameter.required() ? "" : "default: ");
      text.append(fallback(parameter)).append(")\n");
      if (!parameter.doc().isEmpty()) {
        text.append("      ").append(parameter.doc()).append('\n');
      }
    }
    for (String example : declaration.examples()) {
      text.append("\nExample:\n\n").append(example.strip()).append('\n');
    }
    return text.toString();
  }

  private static List<Declaration> declarations(Catalog catalog) {
    return catalog.entries().stream().map(Transform::declaration).toList();
  }

  private static String inputs(Declaration declaration) {
    return PipelineValidator.takes(declaration.inputs());
  }

  private static String title(Kind kind) {
    return switch (kind) {
      case EXTRACT -> "Extract";
      case TRANSFORM -> "Transform";
      case LOAD -> "Load";
    };
  }

  private static String fallback(Parameter parameter) {
    if (parameter.required() && parameter.fallback() == null) {
      return "required";
    }
    return ParameterCheck.fallback(parameter).map(CatalogPage::shown).orElse(NONE);
  }

  private static String shown(JsonNode value) {
    return value.isTextual() ? value.asText() : value.toString();
  }

  private static String cell(String text) {
    return text.replace("|", "\\|").replace("\n", " ");
  }
}
