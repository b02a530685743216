package io.millrace.transform.sql;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.connector.source.Boundedness;
import org.apache.flink.api.connector.source.ReaderOutput;
import org.apache.flink.api.connector.source.Source;
import org.apache.flink.api.connector.source.SourceReader;
import org.apache.flink.api.connector.source.SourceReaderContext;
import org.apache.flink.api.connector.source.SplitEnumerator;
import org.apache.flink.api.connector.source.SplitEnumeratorContext;
import org.apache.flink.api.connector.source.lib.util.IteratorSourceEnumerator;
import org.apache.flink.api.connector.source.lib.util.IteratorSourceReader;
import org.apache.flink.api.java.typeutils.ResultTypeQueryable;
import org.apache.flink.core.io.InputStatus;
import org.apache.flink.core.io.SimpleVersionedSerializer;
import org.apache.flink.core.memory.DataInputDeserializer;
import org.apache.flink.core.memory.DataOutputSerializer;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.runtime.typeutils.InternalTypeInfo;
import org.apache.flink.table.types.logical.RowType;

/**
 * The rows of queries, side by side. A reader that is restored asks its query anew and skips the
 * rows that it had sent, so that a streaming pipeline needs queries with an order of their own.
 *
 * @param queries each a part of what {@code query} gives, or it alone
 * @param rowType the queries' columns, and the order column as the last one if {@code ordered}
 */
public record SqlSource(SqlQuery query, List<String> queries, RowType rowType, boolean ordered)
    implements Source<RowData, SqlSplit, Collection<SqlSplit>>, ResultTypeQueryable<RowData> {
  private static final long serialVersionUID = 1L;

  public SqlSource {
    queries = List.copyOf(queries);
  }

  @Override
  public Boundedness getBoundedness() {
    return Boundedness.BOUNDED;
  }

  @Override
  public TypeInformation<RowData> getProducedType() {
    return InternalTypeInfo.of(rowType);
  }

  @Override
  public SplitEnumerator<SqlSplit, Collection<SqlSplit>> createEnumerator(
      SplitEnumeratorContext<SqlSplit> context) {
    List<SqlSplit> splits =
        IntStream.range(0, queries.size()).mapToObj(i -> new SqlSplit(this, i, 0)).toList();
    return new IteratorSourceEnumerator<>(context, splits);
  }

  @Override
  public SplitEnumerator<SqlSplit, Collection<SqlSplit>> restoreEnumerator(
      SplitEnumeratorContext<SqlSplit> context, Collection<SqlSplit> splits) {
    return new IteratorSourceEnumerator<>(context, splits);
  }

  @Override
  public SourceReader<RowData, SqlSplit> createReader(SourceReaderContext context) {
    return new Reader(context);
  }

  @Override
  public SimpleVersionedSerializer<SqlSplit> getSplitSerializer() {
    return new Splits();
  }

  @Override
  public SimpleVersionedSerializer<Collection<SqlSplit>> getEnumeratorCheckpointSerializer() {
    return new AllSplits();
  }

  /** Ends the query that it is at, also when the job is stopped. */
  private static final class Reader extends IteratorSourceReader<RowData, SqlRows, SqlSplit> {
    Reader(SourceReaderContext context) {
      super(context);
    }

    /** A query may give no rows, which the library's reader does not expect of a split. */
    @Override
    public InputStatus pollNext(ReaderOutput<RowData> output) {
      while (true) {
        if (iterator != null) {
          if (iterator.hasNext()) {
            output.collect(iterator.next());
            return InputStatus.MORE_AVAILABLE;
          }
          finishSplit();
        }
        InputStatus status = tryMoveToNextSplit();
        if (status != InputStatus.MORE_AVAILABLE) {
          return status;
        }
      }
    }

    @Override
    public void close() throws Exception {
      if (iterator != null) {
        iterator.close();
      }
      super.close();
    }
  }

  private final class Splits implements SimpleVersionedSerializer<SqlSplit> {
    @Override
    public int getVersion() {
      return 1;
    }

    @Override
    public byte[] serialize(SqlSplit split) throws IOException {
      DataOutputSerializer out = new DataOutputSerializer(Integer.BYTES + Long.BYTES);
      write(split, out);
      return out.getCopyOfBuffer();
    }

    @Override
    public SqlSplit deserialize(int version, byte[] bytes) throws IOException {
      return read(new DataInputDeserializer(bytes));
    }
  }

  private final class AllSplits implements SimpleVersionedSerializer<Collection<SqlSplit>> {
    @Override
    public int getVersion() {
      return 1;
    }

    @Override
    public byte[] serialize(Collection<SqlSplit> splits) throws IOException {
      DataOutputSerializer out = new DataOutputSerializer(64);
      out.writeInt(splits.size());
      for (SqlSplit split : splits) {
        write(split, out);
      }
      return out.getCopyOfBuffer();
    }

    @Override
    public Collection<SqlSplit> deserialize(int version, byte[] bytes) throws IOException {
      DataInputDeserializer in = new DataInputDeserializer(bytes);
      int size = in.readInt();
      List<SqlSplit> splits = new ArrayList<>();
      for (int i = 0; i < size; i++) {
        splits.add(read(in));
      }
      return splits;
    }
  }

  private static void write(SqlSplit split, DataOutputSerializer out) throws IOException {
    out.writeInt(split.index());
    out.writeLong(split.skip());
  }

  private SqlSplit read(DataInputDeserializer in) throws IOException {
    return new SqlSplit(this, in.readInt(), in.readLong());
  }
}
