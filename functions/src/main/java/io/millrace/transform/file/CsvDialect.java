package io.millrace.transform.file;

import de.siegmar.fastcsv.reader.CsvCallbackHandler;
import de.siegmar.fastcsv.reader.CsvReader;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PushbackInputStream;
import java.io.Reader;
import java.io.Serializable;
import java.nio.charset.Charset;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.GZIPInputStream;

/**
 * How a delimited file is written.
 *
 * @param encoding the name of a charset
 */
public record CsvDialect(char separator, char quote, String encoding, NullTokens nulls)
    implements Serializable {
  private static final long serialVersionUID = 1L;

  /** What one record may hold, in characters: a quote that is never closed ends here. */
  static final int MAX_RECORD_CHARS = 4 << 20;

  private static final int BUFFER = 1 << 16;
  private static final int[] BOM = {0xEF, 0xBB, 0xBF};

  /** Opens a file from its start; a name that ends in {@code .gz} is decompressed. */
  <T> CsvReader<T> open(InputStream bytes, Path file, CsvCallbackHandler<T> handler)
      throws IOException {
    return CsvReader.builder()
        .fieldSeparator(separator)
        .quoteCharacter(quote)
        .skipEmptyLines(true)
        .allowExtraFields(true)
        .allowMissingFields(true)
        .allowExtraCharsAfterClosingQuote(true)
        .maxBufferSize(MAX_RECORD_CHARS)
        .build(handler, text(bytes, file));
  }

  static InputStream bytes(Path file) throws IOException {
    return Files.newInputStream(file);
  }

  private Reader text(InputStream bytes, Path file) throws IOException {
    InputStream plain =
        file.toString().endsWith(".gz")
            ? new GZIPInputStream(bytes, BUFFER)
            : new BufferedInputStream(bytes, BUFFER);
    Charset charset = Charset.forName(encoding);
    CharsetDecoder decoder =
        charset
            .newDecoder()
            .onMalformedInput(CodingErrorAction.REPORT)
            .onUnmappableCharacter(CodingErrorAction.REPORT);
    return new InputStreamReader(
        charset.equals(StandardCharsets.UTF_8) ? afterBom(plain) : plain, decoder);
  }

  private static InputStream afterBom(InputStream plain) throws IOException {
    PushbackInputStream stream = new PushbackInputStream(plain, BOM.length);
    byte[] head = stream.readNBytes(BOM.length);
    boolean isBom = head.length == BOM.length;
    for (int i = 0; isBom && i < BOM.length; i++) {
      isBom = (head[i] & 0xFF) == BOM[i];
    }
    if (!isBom) {
      stream.unread(head);
    }
    return stream;
  }
}
