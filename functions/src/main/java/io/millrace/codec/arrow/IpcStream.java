package io.millrace.codec.arrow;

import io.millrace.codec.arrow.ArrowRejection.Reason;
import io.millrace.codec.arrow.BodyReader.Budget;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import javax.annotation.Nullable;
import org.apache.arrow.flatbuf.DictionaryBatch;
import org.apache.arrow.flatbuf.MessageHeader;
import org.apache.arrow.flatbuf.RecordBatch;
import org.apache.arrow.flatbuf.Schema;
import org.apache.flink.table.data.columnar.vector.ColumnVector;
import org.apache.flink.table.data.columnar.vector.VectorizedColumnBatch;
import org.apache.flink.table.types.logical.RowType;

/**
 * What the messages of one stream mean: first a schema, then dictionaries and batches of rows. A
 * dictionary may be replaced or added to between batches; rows that were read before keep what they
 * had.
 */
final class IpcStream implements BatchReader.Dictionaries {
  private static final int MAX_PARTS = 1000;

  private final RowType rowType;
  private final ArrowLimits limits;
  private final Map<Long, List<Part>> dictionaries = new HashMap<>();
  private Bound bound;
  private Budget budget;

  /** A schema with the wanted columns found in it; {@code metadata} are its bytes. */
  record Bound(byte[] metadata, ColumnBinding row) {}

  /** Values of a dictionary as they came, read once somebody refers to them. */
  private static final class Part {
    private final RecordBatch batch;
    private final Slice body;
    private final int length;
    private final Map<ColumnBinding, ColumnVector> read = new HashMap<>();

    Part(RecordBatch batch, Slice body, int length) {
      this.batch = batch;
      this.body = body;
      this.length = length;
    }
  }

  /**
   * @param known the schema of an earlier stream, which this one is likely to have again
   */
  IpcStream(RowType rowType, ArrowLimits limits, @Nullable Bound known) {
    this.rowType = rowType;
    this.limits = limits;
    this.bound = known;
    this.budget = new Budget(limits.maxDecompressedBytes());
  }

  /** Lets what was decompressed so far count no longer. */
  void renewBudget() {
    budget = new Budget(limits.maxDecompressedBytes());
  }

  /** The first message of a stream. */
  Bound schema(IpcMessage message) throws BadArrowException {
    Slice metadata = message.metadata();
    if (bound != null
        && Arrays.equals(
            bound.metadata(),
            0,
            bound.metadata().length,
            metadata.bytes(),
            metadata.start(),
            metadata.start() + metadata.length())) {
      return bound;
    }
    if (message.message().headerType() != MessageHeader.Schema) {
      throw BadArrowException.malformed("the stream does not begin with a schema");
    }
    Schema schema = (Schema) message.message().header(new Schema());
    if (schema == null) {
      throw BadArrowException.malformed("the stream has no schema");
    }
    List<ArrowField> fields =
        SchemaReader.read(schema, limits, message.beforeV5(), metadata.length());
    bound =
        new Bound(
            Arrays.copyOfRange(
                metadata.bytes(), metadata.start(), metadata.start() + metadata.length()),
            ColumnBinding.ofRow("", ArrowField.root(fields), rowType));
    return bound;
  }

  /** Takes a message after the first; rows when it is a batch of them. */
  @Nullable
  VectorizedColumnBatch next(IpcMessage message) throws BadArrowException {
    byte type = message.message().headerType();
    if (type == MessageHeader.RecordBatch) {
      RecordBatch batch = (RecordBatch) message.message().header(new RecordBatch());
      return reader(batch, message.body()).rows(bound.row(), rows(batch));
    }
    if (type == MessageHeader.DictionaryBatch) {
      add((DictionaryBatch) message.message().header(new DictionaryBatch()), message.body());
      return null;
    }
    throw BadArrowException.malformed("a message of type %d where a batch is expected", type);
  }

  /** Rows of a batch, which are not read. */
  int rows(RecordBatch batch) throws BadArrowException {
    long rows = batch.length();
    if (rows < 0) {
      throw BadArrowException.malformed("a batch of %d rows", rows);
    }
    if (rows > limits.maxRows()) {
      throw BadArrowException.of(
          Reason.TOO_LARGE, "a batch of %d rows, at most %d are read", rows, limits.maxRows());
    }
    return (int) rows;
  }

  private void add(DictionaryBatch dictionary, Slice body) throws BadArrowException {
    RecordBatch batch = dictionary.data();
    if (batch == null) {
      throw BadArrowException.malformed("dictionary %d has no values", dictionary.id());
    }
    List<Part> parts =
        dictionary.isDelta()
            ? dictionaries.computeIfAbsent(dictionary.id(), id -> new ArrayList<>())
            : new ArrayList<>();
    if (parts.size() >= MAX_PARTS) {
      throw BadArrowException.of(
          Reason.TOO_LARGE, "dictionary %d came in more than %d parts", dictionary.id(), MAX_PARTS);
    }
    parts.add(new Part(batch, body, rows(batch)));
    dictionaries.put(dictionary.id(), parts);
  }

  @Override
  public List<DictionaryVector.Part> values(long id, ColumnBinding values)
      throws BadArrowException {
    List<Part> parts = dictionaries.get(id);
    if (parts == null) {
      throw BadArrowException.malformed(
          "column '%s' refers to dictionary %d, which did not come", values.path(), id);
    }
    List<DictionaryVector.Part> read = new ArrayList<>(parts.size());
    for (Part part : parts) {
      ColumnVector vector = part.read.get(values);
      if (vector == null) {
        vector = reader(part.batch, part.body).dictionary(values, part.length);
        part.read.put(values, vector);
      }
      read.add(new DictionaryVector.Part(vector, part.length));
    }
    return read;
  }

  private BatchReader reader(@Nullable RecordBatch batch, Slice body) throws BadArrowException {
    if (batch == null) {
      throw BadArrowException.malformed("a batch without a description");
    }
    return new BatchReader(new BodyReader(batch, body, budget), limits, this);
  }
}
