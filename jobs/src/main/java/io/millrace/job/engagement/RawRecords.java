package io.millrace.job.engagement;

import io.millrace.event.Received;
import io.millrace.lake.parquet.RawEventReader;
import io.millrace.lake.parquet.RawEventReader.RawRecord;
import io.millrace.lake.publish.BackfillPlan;
import io.millrace.validation.Validate;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import javax.annotation.Nullable;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.connector.file.src.FileSourceSplit;
import org.apache.flink.connector.file.src.reader.BulkFormat;
import org.apache.flink.connector.file.src.util.RecordAndPosition;
import org.apache.flink.util.IOUtils;

/**
 * Reads files of {@code raw/app_events} back: the bytes that Kafka brought, decoded and validated
 * once more, with the origin that they had. Events outside of a plan's times are left out as if
 * they had never been sent; a record that is rejected has no time, and none of them is left out.
 */
final class RawRecords implements BulkFormat<Received, FileSourceSplit> {
  private static final long serialVersionUID = 1L;
  private static final int BATCH_RECORDS = 1000;

  private final Validate validate;
  private final long from;
  private final long to;

  RawRecords(Validate validate, BackfillPlan plan) {
    this.validate = validate;
    this.from = plan.eventsFrom();
    this.to = plan.eventsTo();
  }

  @Override
  public Reader<Received> createReader(Configuration config, FileSourceSplit split)
      throws IOException {
    return new RecordReader(split, 0);
  }

  @Override
  public Reader<Received> restoreReader(Configuration config, FileSourceSplit split)
      throws IOException {
    return new RecordReader(
        split, split.getReaderPosition().map(p -> p.getRecordsAfterOffset()).orElse(0L));
  }

  @Override
  public boolean isSplittable() {
    return false;
  }

  @Override
  public TypeInformation<Received> getProducedType() {
    return TypeInformation.of(Received.class);
  }

  private final class RecordReader implements Reader<Received> {
    private final RawEventReader rows;
    private long read;

    RecordReader(FileSourceSplit split, long skip) throws IOException {
      rows = new RawEventReader(split.path());
      try {
        while (read < skip && rows.next() != null) {
          read++;
        }
      } catch (IOException | RuntimeException e) {
        IOUtils.closeQuietly(rows);
        throw e;
      }
    }

    @Override
    @Nullable
    public RecordIterator<Received> readBatch() throws IOException {
      List<RecordAndPosition<Received>> batch = new ArrayList<>();
      for (int i = 0; i < BATCH_RECORDS; i++) {
        RawRecord row = rows.next();
        if (row == null) {
          return i == 0 ? null : new Batch(batch);
        }
        read++;
        Received received = validate.validate(row.origin(), row.key(), row.headers(), row.value());
        if (!received.accepted() || isWanted(received.event().timestamp())) {
          batch.add(new RecordAndPosition<>(received, RecordAndPosition.NO_OFFSET, read));
        }
      }
      return new Batch(batch);
    }

    private boolean isWanted(long timestamp) {
      return timestamp >= from && timestamp <= to;
    }

    @Override
    public void close() throws IOException {
      rows.close();
    }
  }

  /** Records that know their places: rows that are left out count too. */
  private static final class Batch implements BulkFormat.RecordIterator<Received> {
    private final List<RecordAndPosition<Received>> records;
    private int next;

    Batch(List<RecordAndPosition<Received>> records) {
      this.records = records;
    }

    @Override
    @Nullable
    public RecordAndPosition<Received> next() {
      return next == records.size() ? null : records.get(next++);
    }

    @Override
    public void releaseBatch() {}
  }
}
