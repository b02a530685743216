package io.millrace.transform.file;

import de.siegmar.fastcsv.reader.AbstractBaseCsvCallbackHandler;
import de.siegmar.fastcsv.reader.CsvParseException;
import de.siegmar.fastcsv.reader.CsvReader;
import de.siegmar.fastcsv.reader.RecordType;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import javax.annotation.Nullable;

/**
 * The records of one delimited file below its header. Lines of nothing but spaces are skipped; a
 * record with fewer fields than the header has nulls at its end, one with more is an error.
 */
abstract class CsvRecords<T> extends AbstractBaseCsvCallbackHandler<T> {
  private final Path file;
  private final List<String> written = new ArrayList<>();
  private int width = -1;
  // Spaces alone in the first field: a blank line, unless another field follows.
  @Nullable private char[] held;
  @Nullable private CsvReader<T> reader;
  @Nullable private Iterator<T> records;

  CsvRecords(Path file) {
    this.file = file;
  }

  /** Called once, before any field. */
  abstract void header(List<String> names) throws MalformedFileException;

  /** A field below the header; the buffer is reused. */
  abstract void field(int column, char[] text, int offset, int length);

  /** The record whose fields have come. */
  abstract T record(int fields);

  /** Starts to read; the header has been read when it returns true, and there is none if false. */
  final boolean open(CsvDialect dialect, InputStream bytes) throws IOException {
    reader = dialect.open(bytes, file, this);
    records = reader.iterator();
    hasNext();
    return width >= 0;
  }

  /** The next record; null at the end. */
  @Nullable
  final T read() throws IOException {
    return hasNext() ? records.next() : null;
  }

  final void close() throws IOException {
    if (reader != null) {
      reader.close();
    }
  }

  /** The line, from 1, at which the current record starts. */
  final long line() {
    return getStartingLineNumber();
  }

  final Path file() {
    return file;
  }

  final MalformedFileException malformed(String what) {
    return new MalformedFileException("line " + line() + " of " + file.getFileName() + ": " + what);
  }

  private boolean hasNext() throws IOException {
    try {
      return records.hasNext();
    } catch (CsvParseException | UncheckedIOException e) {
      Throwable cause = e.getCause() == null ? e : e.getCause();
      if (cause instanceof UncheckedIOException unchecked) {
        cause = unchecked.getCause();
      }
      if (cause instanceof MalformedFileException malformed) {
        throw malformed;
      }
      if (cause instanceof CharacterCodingException) {
        throw new MalformedFileException(
            file.getFileName()
                + " is not in the encoding that 'encoding' names, somewhere behind line "
                + line(),
            cause);
      }
      throw new MalformedFileException(
          "line " + line() + " of " + file.getFileName() + ": " + cause.getMessage(), cause);
    }
  }

  @Override
  protected final void handleField(int index, char[] text, int offset, int length, boolean quoted) {
    if (index == 0 && !quoted && isBlank(text, offset, length)) {
      held = new String(text, offset, length).toCharArray();
      return;
    }
    if (index == 1) {
      release();
    }
    accept(index, text, offset, length);
  }

  private void release() {
    if (held != null) {
      char[] first = held;
      held = null;
      accept(0, first, 0, first.length);
    }
  }

  private void accept(int index, char[] text, int offset, int length) {
    if (width < 0) {
      written.add(new String(text, offset, length));
    } else if (index < width) {
      field(index, text, offset, length);
    }
  }

  @Override
  @Nullable
  protected final T buildRecord() {
    if (getRecordType() == RecordType.EMPTY || held != null) {
      held = null;
      return null;
    }
    int fields = getFieldCount();
    try {
      if (width < 0) {
        width = fields;
        header(CsvHeader.names(written));
        return null;
      }
      if (fields > width) {
        throw malformed(fields + " fields, but the header has " + width);
      }
    } catch (MalformedFileException e) {
      throw new UncheckedIOException(e);
    }
    return record(fields);
  }

  private static boolean isBlank(char[] text, int offset, int length) {
    for (int i = offset; i < offset + length; i++) {
      if (text[i] != ' ' && text[i] != '\t') {
        return false;
      }
    }
    return length > 0;
  }
}
