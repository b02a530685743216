package io.millrace.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.config.OptionDocs;
import io.millrace.pipeline.PipelineValidator.Validation;
import io.millrace.transform.Declaration;
import io.millrace.transform.Transform;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** What is generated from the declarations: pages, the schema, and that both are current. */
class CatalogPageTest {
  @Test
  void thePageIsCurrent() {
    OptionDocs.verify(Path.of("CATALOG.md"), CatalogPage.markdown(StandardCatalog.standard()));
  }

  @Test
  void theSchemaIsCurrent() {
    OptionDocs.verify(
        Path.of("../jobs/pipelines/pipeline.schema.json"),
        PipelineSchema.text(StandardCatalog.standard()));
  }

  @Test
  void everyExampleIsValid() {
    for (Transform entry : StandardCatalog.standard().entries()) {
      Declaration declaration = entry.declaration();
      assertThat(declaration.examples()).as(declaration.service()).isNotEmpty();
      for (String example : declaration.examples()) {
        Validation validation =
            PipelineValidator.validate(PipelineParser.parse(example), StandardCatalog.standard());
        assertThat(validation.problems()).as("example of %s", declaration.service()).isEmpty();
        assertThat(PipelineParser.parse(example).pipeline().steps())
            .as("example of %s", declaration.service())
            .anyMatch(step -> step.service().equals(declaration.service()));
      }
    }
  }

  @Test
  void everyParameterIsExplained() {
    for (Transform entry : StandardCatalog.standard().entries()) {
      assertThat(entry.declaration().summary()).endsWith(".").doesNotContain("\n");
      assertThat(entry.declaration().parameters())
          .as(entry.declaration().service())
          .allSatisfy(parameter -> assertThat(parameter.doc()).as(parameter.name()).isNotBlank());
    }
  }

  @Test
  void anEntryHasASection() {
    String page = CatalogPage.markdown(KnownServices.catalog());
    assertThat(page)
        .contains("| [`clean_nan`](#clean_nan) | 1 input | Drops or fills nulls. |\n")
        .contains(
            """
            ### clean_nan

            Drops or fills nulls. Takes 1 input.

            | parameter | value | default | meaning |
            |---|---|---|---|
            | `strategy` | one of drop, fill_mean, ffill | `drop` |  |
            | `fill_value` | a single text, number or boolean | none |  |
            | `columns` | a list of names of columns | none |  |
            """)
        .contains("\n```yaml\npipeline:\n  name: example\n")
        .contains("| `db_url` | given by reference, as env:NAME or file:/path | required |  |\n")
        .contains("| `max_tokens` | a whole number of at least 1 | `20` |  |\n")
        .contains("\n## Load\n\n### load_data\n");
    assertThat(page.indexOf("## Extract")).isLessThan(page.indexOf("## Transform"));
  }

  @Test
  void theTerminalShowsTheSame() {
    assertThat(CatalogPage.list(KnownServices.catalog()))
        .startsWith("extract_csv          Reads.\n")
        .contains("\ntext_completion_llm  Changes rows.\n")
        .endsWith("\nload_data            Writes a file.\n");
    Declaration declaration =
        KnownServices.catalog().find("outlier_detection").orElseThrow().declaration();
    assertThat(CatalogPage.entry(declaration))
        .isEqualTo(
            """
            outlier_detection: Changes rows.
            Takes 1 input.

              column: the name of a column (required)

              z_threshold: a number above 0 (default: 3.0)
            """);
  }
}
