package io.millrace.pipeline;

import io.millrace.transform.Catalog;
import io.millrace.transform.clean.CleanNan;
import io.millrace.transform.clean.DeduplicateRows;
import io.millrace.transform.clean.RemoveOutliers;
import io.millrace.transform.connector.ExtractApi;
import io.millrace.transform.connector.ExtractCsv;
import io.millrace.transform.connector.ExtractExcel;
import io.millrace.transform.connector.ExtractKafka;
import io.millrace.transform.connector.ExtractParquet;
import io.millrace.transform.connector.ExtractSql;
import io.millrace.transform.connector.LoadData;
import io.millrace.transform.connector.LoadKafka;
import io.millrace.transform.connector.LoadLake;
import io.millrace.transform.llm.CompleteText;
import io.millrace.transform.quality.AssessQuality;
import io.millrace.transform.quality.DetectSeriesAnomalies;
import io.millrace.transform.shape.AggregateRows;
import io.millrace.transform.shape.CastColumns;
import io.millrace.transform.shape.DeleteColumns;
import io.millrace.transform.shape.DeriveColumns;
import io.millrace.transform.shape.FilterRows;
import io.millrace.transform.shape.JoinDatasets;
import io.millrace.transform.shape.RenameColumns;
import io.millrace.transform.shape.UnionDatasets;
import java.util.List;

/** The entries that Millrace ships, in the order of the catalog's page. */
public final class StandardCatalog {
  private StandardCatalog() {}

  /** A catalog of all of them. */
  public static Catalog standard() {
    return new Catalog(
        List.of(
            new ExtractCsv(),
            new ExtractExcel(),
            new ExtractParquet(),
            new ExtractApi(),
            new ExtractSql(),
            new ExtractKafka(),
            new CleanNan(),
            new DeleteColumns(),
            new AssessQuality(),
            new RemoveOutliers(),
            new JoinDatasets(),
            new CompleteText(),
            new FilterRows(),
            new DeriveColumns(),
            new RenameColumns(),
            new CastColumns(),
            new DeduplicateRows(),
            new AggregateRows(),
            new UnionDatasets(),
            new DetectSeriesAnomalies(),
            new LoadData(),
            new LoadKafka(),
            new LoadLake()));
  }
}
